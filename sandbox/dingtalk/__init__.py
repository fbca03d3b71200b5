"""The simulated DingTalk: both API generations, the stream gateway, HTTP callbacks and the login pages."""
