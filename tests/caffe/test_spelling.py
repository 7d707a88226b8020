"""A slip of the hand finds the word that is meant; another word never does."""

import pytest

from caffe.definition.fork_fields import CURRENT, FORKS, INSTEAD
from caffe.layer_types import fork_layers, registry
from caffe.proto import caffe_pb2
from caffe.spelling import near

FIELDS = {
    name: list(message.fields_by_name)
    for name, message in caffe_pb2.DESCRIPTOR.message_types_by_name.items()
}


@pytest.mark.parametrize("message", FIELDS)
def test_slips_in_each_field(message):
    """Letters swapped, doubled, or left out, a plural, other capitals: by hand, not by distance."""
    known = FIELDS[message]
    for word in known:
        if len(word) < 5:
            continue
        longest = max(word.split("_"), key=len)
        i = word.index(longest) + 1  # its second letter
        slips = [word.upper(), word.replace("_", ""), word[: i + 1] + word[i:]]
        if not word.endswith("s") and len(word.split("_")[-1]) > 2 and f"{word}s" not in known:
            slips.append(word + "s")
        if word[i] != word[i + 1] and len(longest) > 2:
            slips.append(word[:i] + word[i + 1] + word[i] + word[i + 2 :])
        if len(longest) >= 6:
            slips.append(word[:i] + word[i + 1 :])
        for slip in slips:
            assert word in near(slip, known), slip


def test_fields_of_forks_are_near_nothing():
    """Without its table, too, a fork's field would not be told to be another one."""
    fields = [
        (m, field) for m, forks in FORKS.items() for f in forks.values() for field in f.split()
    ]
    for message, field in [*fields, *INSTEAD]:
        for known in [
            FIELDS[message],
            *(FIELDS[old] for old, new in CURRENT.items() if new == message),
        ]:
            assert not near(field, known), (message, field, near(field, known))


def test_layer_types_of_forks_are_near_nothing():
    for name in " ".join(fork_layers.FORKS.values()).split():
        assert not near(name, registry), name


@pytest.mark.parametrize(
    "word, known",
    [
        ("SELU", "ELU"),
        ("CReLU", "PReLU"),
        ("ReLU6", "ReLU"),
        ("Pooling3D", "Pooling"),
        ("Convolution2", "Convolution"),
        ("Unpooling", "Pooling"),
        ("Deconvolution", "Convolution"),
        ("Softmin", "Softmax"),
        ("Resize", "Reshape"),
        ("kernel_d", "kernel_h"),
        ("pad_t", "pad_h"),
        ("momentum3", "momentum2"),
        ("bn_param", "elu_param"),
        ("crelu_param", "prelu_param"),
        ("top_n", "top_k"),
        ("a" * 10**6, "a"),
        ("", "a"),
    ],
)
def test_other_words(word, known):
    assert near(word, [known]) == []


@pytest.mark.parametrize(
    "word, known",
    [
        ("Relu", "ReLU"),
        ("Inner_Product", "InnerProduct"),
        ("Convolutoin", "Convolution"),
        ("Convolusion", "Convolution"),
        ("Flaten", "Flatten"),
        ("Droput", "Dropout"),
        ("num_ouput", "num_output"),
        ("kernelsize", "kernel_size"),
        ("step_size", "stepsize"),
        ("tpye", "type"),
        ("dims", "dim"),
    ],
)
def test_slips(word, known):
    assert near(word, ["other", known, "else"]) == [known]


def test_the_first_part_of_a_name():
    assert near("kernel", ["kernel_size", "kernel_h", "kernels"]) == ["kernels"]
    assert near("kernel", FIELDS["ConvolutionParameter"]) == ["kernel_size", "kernel_h", "kernel_w"]
