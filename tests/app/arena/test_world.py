from __future__ import annotations

import numpy as np
import pytest

from app.workloads.arena.economy import BATTERY, HEART, ORE
from app.workloads.arena.layout import DOWN, LEFT, RIGHT, UP, USE, make_layout
from app.workloads.arena.world import World, observation_count

MINE, OTHER_MINE, GENERATOR, ALTAR = range(4)


def world_at(building: int, *, agents: int = 1, converters: bool = False, shaping: bool = False) -> World:
    """One environment with all agents on a building."""
    layout = make_layout(5, converters=converters)
    world = World(layout, envs=1, agents=agents, shaping=shaping, rng=np.random.default_rng(0))
    world.cell[:] = layout.cells[building]
    return world


def act(world: World, *actions: int) -> list[float]:
    rewards: list[float] = world.step(np.array([actions]))[0].tolist()
    return rewards


def uses_that_give(world: World, item: int, steps: int) -> list[int]:
    """The steps, of so many spent using the building, in which an item is gained."""
    gained = []
    for step in range(steps):
        before = world.items[0, 0, item]
        act(world, USE)
        if world.items[0, 0, item] > before:
            gained.append(step)
    return gained


def test_a_mine_gives_one_ore_and_then_rests_for_50_steps() -> None:
    assert uses_that_give(world_at(MINE), ORE, 102) == [0, 50, 100]


def test_a_generator_turns_one_ore_into_one_battery_and_then_rests_for_25_steps() -> None:
    world = world_at(GENERATOR)
    world.items[0, 0, ORE] = 2
    assert uses_that_give(world, BATTERY, 80) == [0, 25]
    assert world.items[0, 0].tolist() == [0, 2, 0]


@pytest.mark.parametrize(("converters", "price"), [(False, 3), (True, 1)])
def test_an_altar_turns_its_price_in_batteries_into_a_heart_and_then_rests_for_10_steps(
    converters: bool, price: int
) -> None:
    world = world_at(ALTAR, converters=converters)
    world.items[0, 0, BATTERY] = 3 * price
    assert uses_that_give(world, HEART, 40) == [0, 10, 20]
    assert world.items[0, 0].tolist() == [0, 0, 3]


def test_an_altar_gives_nothing_for_too_few_batteries_and_stays_ready() -> None:
    world = world_at(ALTAR)
    world.items[0, 0, BATTERY] = 2
    assert act(world, USE) == [0]
    assert world.items[0, 0].tolist() == [0, 2, 0]
    assert world.cooldown[0, ALTAR] == 0


def test_using_where_no_building_stands_does_nothing() -> None:
    world = world_at(MINE)
    world.cell[:] = 7
    assert act(world, USE) == [0]
    assert world.items.sum() == 0
    assert world.cell[0, 0] == 7


def test_the_two_mines_rest_independently_of_each_other() -> None:
    world = world_at(MINE, agents=2)
    world.cell[0, 1] = world.layout.cells[OTHER_MINE]
    act(world, USE, USE)
    assert world.items[0, :, ORE].tolist() == [1, 1]


def test_only_one_agent_is_served_in_a_step_and_precedence_rotates() -> None:
    world = world_at(MINE, agents=3)
    served = []
    for _ in range(3):
        before = world.items[0, :, ORE].copy()
        world.cooldown[:] = 0
        act(world, USE, USE, USE)
        served.append((world.items[0, :, ORE] - before).tolist())
    assert served == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_an_agent_that_cannot_pay_does_not_stand_in_the_way_of_one_that_can() -> None:
    world = world_at(ALTAR, agents=2, converters=True)
    world.items[0, 1, BATTERY] = 1
    assert act(world, USE, USE) == [0, 1]


def test_moves_lead_to_the_next_cell_and_stop_at_the_edge() -> None:
    world = world_at(MINE)
    cells = []
    for action in (LEFT, UP, RIGHT, DOWN, LEFT, UP):
        act(world, action)
        cells.append(int(world.cell[0, 0]))
    assert cells == [0, 0, 1, 6, 5, 0]


def test_shaping_is_paid_to_the_agent_that_gained_the_item() -> None:
    world = world_at(MINE, agents=2, shaping=True)
    assert act(world, USE, UP) == pytest.approx([0.1, 0])


def test_every_observation_is_numbered_within_the_count() -> None:
    layout = make_layout(5, converters=True)
    world = World(layout, envs=16, agents=3, shaping=False, rng=np.random.default_rng(1))
    rng = np.random.default_rng(2)
    for _ in range(300):
        world.step(rng.integers(5, size=(16, 3)))
    world.items[0] = 99
    world.cell[0] = 24
    world.cooldown[0] = 0
    assert world.observe().min() >= 0
    assert world.observe().max() == observation_count(layout) - 1


def test_an_observation_tells_cells_inventories_and_ready_buildings_apart() -> None:
    world = world_at(MINE)
    seen = [int(world.observe()[0, 0])]
    act(world, USE)
    seen.append(int(world.observe()[0, 0]))
    world.cooldown[:] = 0
    seen.append(int(world.observe()[0, 0]))
    act(world, RIGHT)
    seen.append(int(world.observe()[0, 0]))
    assert len(set(seen)) == 4


def test_ore_that_was_mined_is_all_accounted_for() -> None:
    layout = make_layout(3, converters=False)
    world = World(layout, envs=8, agents=2, shaping=False, rng=np.random.default_rng(0))
    rng = np.random.default_rng(1)
    mined = np.zeros(8)
    for _ in range(600):
        ready = world.cooldown[:, :2] == 0
        world.step(rng.integers(5, size=(8, 2)))
        mined += (ready & (world.cooldown[:, :2] > 0)).sum(axis=1)
    in_hands = (world.items * np.array([1, 1, 3])).sum(axis=(1, 2))
    assert mined.tolist() == in_hands.tolist()
    assert world.items[..., HEART].sum() > 0


def test_hearts_per_agent_is_the_mean_over_the_agents_of_an_environment() -> None:
    world = world_at(ALTAR, agents=2)
    world.items[0, 1, HEART] = 3
    assert world.hearts_per_agent().tolist() == [1.5]


def test_a_restored_world_goes_on_as_the_one_it_was_saved_from() -> None:
    layout = make_layout(4, converters=True)
    one = World(layout, envs=4, agents=2, shaping=True, rng=np.random.default_rng(0))
    actions = np.random.default_rng(1).integers(5, size=(200, 4, 2))
    for step in actions[:100]:
        one.step(step)
    other = World(layout, envs=4, agents=2, shaping=True, rng=np.random.default_rng(9))
    other.restore(one.state())
    for step in actions[100:]:
        assert one.step(step).tolist() == other.step(step).tolist()
    assert one.observe().tolist() == other.observe().tolist()
