"""The table of endpoints below /cgi-bin."""

from __future__ import annotations

from sandbox.store import Doc
from sandbox.wecom import appchat, contacts, login, media, messages
from sandbox.wecom.api import Call, Endpoint, gettoken


def getcallbackip(_: Call) -> Doc:
    """The addresses callbacks come from [doc 91116]."""
    return {"ip_list": ["127.0.0.*"]}


ENDPOINTS = {
    "gettoken": Endpoint("GET", gettoken, needs_token=False),
    "getcallbackip": Endpoint("GET", getcallbackip),
    "get_api_domain_ip": Endpoint("GET", getcallbackip),
    "message/send": Endpoint("POST", messages.send),
    "message/update_template_card": Endpoint("POST", messages.update),
    "message/recall": Endpoint("POST", messages.recall),
    "media/upload": Endpoint("POST", media.upload),
    "media/get": Endpoint("GET", media.get),
    "appchat/create": Endpoint("POST", appchat.create),
    "appchat/update": Endpoint("POST", appchat.update),
    "appchat/get": Endpoint("GET", appchat.get),
    "appchat/send": Endpoint("POST", appchat.send),
    "user/get": Endpoint("GET", contacts.user_get, contacts_too=True),
    "user/list": Endpoint("GET", contacts.user_list, contacts_too=True),
    "user/simplelist": Endpoint("GET", contacts.user_simplelist, contacts_too=True),
    "user/list_id": Endpoint("POST", contacts.user_list_id, contacts_too=True),
    "department/list": Endpoint("GET", contacts.department_list, contacts_too=True),
    "department/simplelist": Endpoint("GET", contacts.department_simplelist, contacts_too=True),
    "auth/getuserinfo": Endpoint("GET", login.getuserinfo),
}
