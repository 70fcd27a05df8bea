from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf, open_dict

from runyard.compose.clone import clone
from runyard.compose.composition import fill_job
from runyard.compose.document import NotPiecewiseError
from runyard.compose.hydratext import HydraText

from .conftest import App

OVERRIDES = st.lists(
    st.one_of(
        st.sampled_from(
            ["lr=0.1", "+a.b='x y'", "~c", "a=[1,{b:2}]", "text=" + "long words " * 12, "a=/b/c:d", "yes", "1"]
        ),
        st.text(st.characters(exclude_categories=("Cs",)), max_size=12),
    ),
    max_size=4,
)


def _whole(config: DictConfig, overrides: list[str], job: int, dirname: str, run_dir: str) -> tuple[str, str]:
    """What OmegaConf writes of a whole config."""
    whole = clone(config)
    fill_job(whole.hydra, overrides, job, dirname)
    with open_dict(whole):
        whole.hydra.runtime.output_dir = run_dir
    return OmegaConf.to_yaml(OmegaConf.masked_copy(whole, "hydra")), OmegaConf.to_yaml(whole.hydra.overrides.task)


@given(
    overrides=OVERRIDES,
    job=st.integers(0, 10**7),
    run_dir=st.sampled_from(["/x", "/with a space/" + "long folder " * 9, "/größe", "/a: b", "/x\ny"]),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_the_texts_of_a_job_are_those_of_its_config(app: App, overrides: list[str], job: int, run_dir: str) -> None:
    text, dirname = HydraText(app.by_hydra("lr=0.1")), ",".join(overrides)
    if "${" in dirname or "???" in overrides:
        return  # an override that is written so stands for something else
    whole = _whole(app.by_hydra("lr=0.1"), overrides, job, dirname, run_dir)
    assert (text.of_job(overrides, job, dirname, run_dir), text.overrides(overrides)) == whole


def test_one_composition_serves_many_jobs(app: App) -> None:
    config = app.by_hydra()
    text = HydraText(config)
    for job in range(30):
        overrides = [f"lr={job}", "name='a b'"] if job % 3 else []
        expected = _whole(config, overrides, job, f"d{job}", f"/out/{job}")
        assert (text.of_job(overrides, job, f"d{job}", f"/out/{job}"), text.overrides(overrides)) == expected


def test_a_node_of_another_form_is_refused(app: App) -> None:
    config = clone(app.by_hydra())
    with open_dict(config.hydra):
        del config.hydra.runtime.output_dir
    with pytest.raises(NotPiecewiseError, match="other entries"):
        HydraText(config)
