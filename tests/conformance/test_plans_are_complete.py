"""Every module of every plan has a test of its name, and no test pretends to be one."""

import ast
from pathlib import Path

import pytest
from modules import ARRIVING, COUNTS, PLANS, name_of_test

HERE = Path(__file__).parent


def found_of(plan):
    return {
        node.name
        for path in HERE.glob(f"test_{plan}_plan*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_oidcc_")
    }


@pytest.mark.parametrize("plan", PLANS)
def test_a_plan_has_its_modules(plan):
    assert len(set(PLANS[plan])) == len(PLANS[plan]) == COUNTS[plan]


@pytest.mark.parametrize("plan", PLANS)
def test_every_module_of_a_plan_is_a_test(plan):
    wanted = {name_of_test(module) for module in PLANS[plan] if (plan, module) not in ARRIVING}

    assert found_of(plan) == wanted


def test_what_arrives_is_a_module():
    assert {(plan, module) for plan in PLANS for module in PLANS[plan]} >= ARRIVING
