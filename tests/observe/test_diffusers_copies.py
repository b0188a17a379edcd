"""A copy of a scheduler is what a deep copy is: equal throughout, and nothing that is done to it reaches the original."""

from copy import deepcopy

import numpy as np
import pytest

pytest.importorskip("diffusers")
torch = pytest.importorskip("torch")

from verifydiff.observe.diffusers.classes import NotApplicable, schedulers  # noqa: E402
from verifydiff.observe.diffusers.copies import copier  # noqa: E402
from verifydiff.observe.diffusers.scheduler import Configuration  # noqa: E402
from verifydiff.observe.once import key_of  # noqa: E402

CLASSES = [pytest.param(cls, id=name) for name, cls in schedulers().items() if not isinstance(cls, NotApplicable)]


def as_plain(value):
    """With a key: tensors as arrays."""
    if isinstance(value, torch.Tensor):
        return np.asarray(value)
    if isinstance(value, list | tuple):
        return [as_plain(one) for one in value]
    return {name: as_plain(one) for name, one in value.items()} if isinstance(value, dict) else value


def contents(scheduler):
    return {name: key_of(as_plain(value)) for name, value in vars(scheduler).items()}


def tensors(scheduler):
    return {name: value for name, value in vars(scheduler).items() if isinstance(value, torch.Tensor)}


def sharing(scheduler):
    """Which tensors lie in one memory."""
    held = {name: one.untyped_storage().data_ptr() for name, one in tensors(scheduler).items() if one.numel()}
    return {(a, b) for a in held for b in held if held[a] == held[b]}


@pytest.mark.parametrize("cls", CLASSES)
def test_every_class_is_copied_as_deepcopy_would(cls):
    original = Configuration(cls, {}).make()
    before, deep, copy = contents(original), deepcopy(original), copier(original)()
    assert type(copy) is cls
    assert contents(copy) == contents(deep) == before
    assert sharing(copy) == sharing(deep)
    assert [(one.dtype, one.stride()) for one in tensors(copy).values()] != []
    for name, one in tensors(copy).items():
        assert (one.dtype, one.stride()) == (tensors(deep)[name].dtype, tensors(deep)[name].stride())
        one.zero_()
    for name, one in vars(copy).items():
        if isinstance(one, list):
            one.append(name)
        if isinstance(one, np.ndarray):
            one[...] = 0
    assert contents(original) == before


class Odd:
    def __init__(self):
        self.table = torch.arange(6.0)
        self.view = self.table[1:3]
        self.alone = torch.ones(2, 3)
        self.turned = torch.arange(6.0).reshape(2, 3).T
        self.same = self.alone


def test_tensors_that_share_memory_share_it_in_the_copy():
    copy = copier(Odd())()
    copy.table[1] = 7.0
    assert copy.view[0] == 7.0
    assert copy.same is copy.alone
    assert copy.turned.stride() == Odd().turned.stride()


class Hiding(Odd):
    def __init__(self):
        super().__init__()
        self.turned = self.turned.contiguous()
        self.kept = [self.turned[:2]]


def test_a_tensor_within_a_list_shares_the_memory_that_it_shared():
    copy = copier(Hiding())()
    copy.turned[0, 0] = 9.0
    assert copy.kept[0][0, 0] == 9.0


class Special(Odd):
    def __deepcopy__(self, memo):
        return "its own"


def test_a_class_that_says_how_it_is_copied_is_copied_so():
    assert copier(Special())() == "its own"
