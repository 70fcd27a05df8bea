from tests.analyze.factory import grid
def test_a(): assert list(grid(a=[1]))
