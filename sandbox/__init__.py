"""A local DingTalk and WeCom that the real SDKs talk to, as strict as the platforms' pages say.

The room knows nobody: it imports nothing of the bot, and the bot imports nothing of it. They meet over HTTP and a
websocket only, so that two independent readings of the platforms have to agree.

Rules cite the platform's page: `[doc 90236]` is a page of developer.work.weixin.qq.com, `[doc create-and-deliver-cards]`
one of open.dingtalk.com, `[src X]` the source of an SDK, `[run]` seen by running one. `[mem]` is memory: not confirmed,
listed in doubts.py, and mostly a switch.
"""
