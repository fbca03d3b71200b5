"""People come in by lists and directories, move, leave, and are one person on two platforms."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from rules.events import Account, Platform
from rules.people import Entry
from storage.unit import Store
from tests.builders import COMPANY, NOON, a_company

BOTH = (Platform.DINGTALK, Platform.WECOM)
LIU_YANG = next(entry for entry in COMPANY if entry.key == "E011")


def test_a_list_names_who_answers_to_whom_in_any_order(store: Store) -> None:
    with store.begin() as tx:
        tx.people.put(tuple(reversed(COMPANY)), NOON)
        people = {person.key: person for person in tx.people.all().values()}

    assert people["E011"].supervisor == people["E010"].id
    assert people["E011"].hrbp == people["E003"].id
    assert people["E010"].supervisor == people["E001"].id


def test_a_second_list_updates_and_keeps_what_it_leaves_open(store: Store) -> None:
    with store.begin() as tx:
        before = a_company(tx)
        tx.people.put([Entry("E011", "刘洋", "售后部", ())], NOON)
        after = tx.people.get(before["E011"].id)

    assert after == replace(before["E011"], department="售后部")


def test_references_to_nobody_and_to_oneself_are_left_out(store: Store) -> None:
    with store.begin() as tx:
        tx.people.put([Entry("E1", "甲", "部门", (), supervisor="E9", hrbp="E1")], NOON)
        person = tx.people.by_key("E1")

    assert person is not None
    assert (person.supervisor, person.hrbp) == (None, None)


def test_without_a_role_the_position_is_the_role(store: Store) -> None:
    with store.begin() as tx:
        tx.people.put([Entry("E1", "甲", "部门", (), position="主播")], NOON)
        tx.people.put([Entry("E1", "甲", "部门", (), position="高级主播")], NOON)
        person = tx.people.by_key("E1")

    assert person is not None
    assert (person.position, person.role) == ("高级主播", "主播")


def test_an_account_moves_to_the_person_the_list_names(store: Store) -> None:
    with store.begin() as tx:
        people = a_company(tx)
        tx.people.put([Entry("E012", "孙悦", "客服部", (Account(Platform.DINGTALK, "liu_yang"),))], NOON)
        owner = tx.people.find(Account(Platform.DINGTALK, "liu_yang"), NOON)

    assert owner is not None
    assert owner.id == people["E012"].id


def test_wecom_ids_are_the_same_ignoring_case_and_dingtalk_ids_are_not(store: Store) -> None:
    with store.begin() as tx:
        people = a_company(tx)
        found = tx.people.find(Account(Platform.WECOM, "Liu.Yang"), NOON)
        not_found = tx.people.find(Account(Platform.DINGTALK, "Liu_Yang"), NOON)

    assert found is not None
    assert found.id == people["E011"].id
    assert not_found is None


def test_messages_go_to_the_platform_that_was_used_last(store: Store) -> None:
    with store.begin() as tx:
        person = a_company(tx)["E011"].id
        never = tx.people.address(person, BOTH)
        tx.people.find(Account(Platform.WECOM, "liu.yang"), NOON)
        after_wecom = tx.people.address(person, BOTH)
        tx.people.find(Account(Platform.DINGTALK, "liu_yang"), NOON + timedelta(hours=1))
        after_dingtalk = tx.people.address(person, BOTH)
        only_wecom = tx.people.address(person, [Platform.WECOM])

    assert (never, after_dingtalk) == (Account(Platform.DINGTALK, "liu_yang"),) * 2
    assert (after_wecom, only_wecom) == (Account(Platform.WECOM, "liu.yang"),) * 2


def test_nobody_is_written_to_where_the_bot_is_not(store: Store) -> None:
    with store.begin() as tx:
        assert tx.people.address(a_company(tx)["E012"].id, [Platform.DINGTALK]) is None


def test_a_leaver_loses_his_accounts_and_is_told_of_once(store: Store) -> None:
    gone = replace(LIU_YANG, left=True)
    with store.begin() as tx:
        person = a_company(tx)["E011"].id

        assert tx.people.put([gone], NOON) == (person,)
        assert tx.people.put([gone], NOON + timedelta(days=1)) == ()

        assert tx.people.get(person).left_at == NOON
        assert tx.people.address(person, BOTH) is None
        assert tx.people.find(Account(Platform.WECOM, "liu.yang"), NOON) is None
        assert person not in {report.id for report in tx.people.reports_of(tx.people.get(person).supervisor or 0)}


def test_who_comes_back_is_active_again(store: Store) -> None:
    with store.begin() as tx:
        person = a_company(tx)["E011"].id
        tx.people.put([replace(LIU_YANG, left=True)], NOON)
        tx.people.put([LIU_YANG], NOON + timedelta(days=30))

        assert tx.people.get(person).active
        assert tx.people.address(person, BOTH) == Account(Platform.DINGTALK, "liu_yang")


def test_who_lost_the_last_account_has_left_and_who_has_another_has_not(store: Store) -> None:
    dropped = [Account(Platform.WECOM, "liu.yang"), Account(Platform.WECOM, "sun.yue"), Account(Platform.WECOM, "never.was")]
    with store.begin() as tx:
        people = a_company(tx)

        assert tx.people.drop_accounts(dropped, NOON) == (people["E012"].id,)

        assert tx.people.get(people["E011"].id).active
        assert tx.people.get(people["E012"].id).left_at == NOON


def test_supervisors_are_those_with_somebody_who_still_works_here(store: Store) -> None:
    with store.begin() as tx:
        people = a_company(tx)
        both = tx.people.supervisors()
        tx.people.put([replace(entry, left=True) for entry in COMPANY if entry.key in ("E011", "E012")], NOON)

        assert both == (people["E001"].id, people["E010"].id)
        assert tx.people.supervisors() == (people["E001"].id,)


def test_the_way_upwards_ends_at_the_top_or_in_a_circle(store: Store) -> None:
    with store.begin() as tx:
        people = a_company(tx)
        up = tx.people.upwards_from(people["E011"].id)
        tx.people.put([Entry("E001", "周岚", "总经办", (), supervisor="E010")], NOON)
        circle = tx.people.upwards_from(people["E010"].id)

    assert [person.key for person in up.values()] == ["E011", "E010", "E001"]
    assert {person.key for person in circle.values()} == {"E010", "E001"}


def test_some_leaves_out_the_unknown(store: Store) -> None:
    with store.begin() as tx:
        person = a_company(tx)["E011"].id

        assert set(tx.people.some([person, 999])) == {person}
        assert tx.people.some([]) == {}
