"""The table of endpoints of both API generations."""

from __future__ import annotations

from sandbox.dingtalk import cards, contacts, login, robot
from sandbox.dingtalk.api import Call, Endpoint, Refused, access_token, corp_token, needs, old_gettoken
from sandbox.dingtalk.gateway import EVERY_EVENT, TOPICS
from sandbox.store import Doc


def open_connection(call: Call) -> Doc:
    """A ticket and an endpoint for one websocket [doc stream-mode-protocol]; credentials are in the body, not in a header."""
    app, body = call.world.company.dingtalk, call.body
    needs(body, "clientId", "clientSecret", "subscriptions")
    if (body["clientId"], body["clientSecret"]) != (app.client_id, app.client_secret):
        raise Refused("authFailed", "鉴权失败", 401)
    wanted = set()
    for each in body["subscriptions"]:
        kind, topic = (each.get("type"), each.get("topic")) if isinstance(each, dict) else (None, None)
        known = (kind == "EVENT" and topic == EVERY_EVENT) or (kind == "CALLBACK" and topic in TOPICS) or kind == "SYSTEM"
        if not known:
            raise Refused("param.error", f"the subscription {kind} {topic} is not known")
        wanted.add((str(kind), str(topic)))
    if not body.get("ua"):
        call.warn("ua is missing")
    return {"endpoint": call.dingtalk.gateway.endpoint, "ticket": call.dingtalk.gateway.issue_ticket(wanted, str(body.get("ua") or ""))}


FREE = {"metered": False}
ENDPOINTS = {
    "POST /v1.0/oauth2/accessToken": Endpoint(access_token, needs_token=False, **FREE),
    "POST /v1.0/oauth2/{corpId}/token": Endpoint(corp_token, needs_token=False, **FREE),
    "POST /v1.0/oauth2/userAccessToken": Endpoint(login.user_access_token, needs_token=False, **FREE),
    "GET /v1.0/contact/users/me": Endpoint(login.users_me, needs_token=False, **FREE),
    "POST /v1.0/gateway/connections/open": Endpoint(open_connection, needs_token=False, **FREE),
    "POST /v1.0/card/instances/createAndDeliver": Endpoint(cards.create_and_deliver),
    "POST /v1.0/card/instances": Endpoint(cards.create),
    "PUT /v1.0/card/instances": Endpoint(cards.update),
    "POST /v1.0/card/instances/deliver": Endpoint(cards.deliver),
    "PUT /v1.0/card/instances/spaces": Endpoint(cards.open_spaces),
    "POST /v1.0/card/callbacks/register": Endpoint(cards.register_callback),
    "POST /v1.0/robot/oToMessages/batchSend": Endpoint(robot.send_to_users),
    "POST /v1.0/robot/otoMessages/batchRecall": Endpoint(robot.recall_from_users),
    "GET /v1.0/robot/oToMessages/readStatus": Endpoint(robot.read_status),
    "POST /v1.0/robot/groupMessages/send": Endpoint(robot.send_to_group),
    "POST /v1.0/robot/groupMessages/recall": Endpoint(robot.recall_from_group),
    "POST /v1.0/robot/groupMessages/query": Endpoint(robot.group_read_status),
    "POST /v1.0/robot/installed/groups/query": Endpoint(robot.installed_groups),
    "POST /v1.0/robot/messageFiles/download": Endpoint(robot.download),
    "GET /gettoken": Endpoint(old_gettoken, needs_token=False, **FREE),
    "POST /media/upload": Endpoint(robot.upload, **FREE),
    "POST /topapi/v2/department/listsub": Endpoint(contacts.list_departments, **FREE),
    "POST /topapi/v2/department/get": Endpoint(contacts.get_department, **FREE),
    "POST /topapi/user/listid": Endpoint(contacts.list_ids, **FREE),
    "POST /topapi/v2/user/list": Endpoint(contacts.list_users, **FREE),
    "POST /topapi/v2/user/get": Endpoint(contacts.get_user, **FREE),
    "POST /topapi/v2/user/getbymobile": Endpoint(contacts.user_by_mobile, **FREE),
    "POST /topapi/user/getbyunionid": Endpoint(contacts.user_by_union_id, **FREE),
    "POST /topapi/v2/user/getuserinfo": Endpoint(login.getuserinfo, **FREE),
}
