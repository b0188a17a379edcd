r"""Noising with labels: the process that classifier guidance reverses.

A label y is drawn for the data, and the data are noised as if it were not there:

.. math:: \hat q(x_0) := q(x_0), \quad \hat q(y \mid x_0) := \text{the labels}, \quad
    \hat q(x_t \mid x_s, y) := q(x_t \mid x_s) .

Nothing is known of the data, of the labels or of the kernel. Everything that follows is marginalising: without its label
the process is the one we know, and a classifier of a noised state need not see noisier ones.
"""

from verifydiff.forms.quantities import POSITIVE, x_0, x_s, x_t
from verifydiff.proof import derivation, letter

DHARIWAL = "Dhariwal & Nichol 2021, app. H"
y = letter("y", "y")
past = letter("past", r"x_{1:s-1}")
Z = letter("Z", r"\hat q(y \mid x_t)", domain=POSITIVE)
labelled = letter("labelled", r"\hat q(x_t, y)", domain=POSITIVE)
ratio = letter("ratio", r"\frac{\hat q(x_{0:s})}{q(x_{0:s})}", domain=POSITIVE)


def one_step(d):
    """The conditional process between two times: any law of the cleaner state and the label, noised without the label."""
    q, hat = d.law("q"), d.law("qhat", r"\hat q")
    d.define(hat, (x_t, y, x_s), hat(x_s, y) * q(x_t, given=x_s), "the noise does not look at the label")
    d.marginal(hat, (x_s, x_t), (y,), "sum over the labels, of which the kernel knows nothing")
    return q, hat


def whole(d):
    """The same, where the states themselves are known to have the law of the unconditional process."""
    q, hat = d.law("q"), d.law("qhat", r"\hat q")
    labels = d.law("l", r"\hat q")
    density = q(x_s) * labels(y, given=x_s) * q(x_t, given=x_s)
    d.define(hat, (x_t, y, x_s), density, "the state has the unconditional marginal; a label is drawn; noise is added")
    d.marginal(hat, (x_s, x_t), (y,), "a conditional law of the label integrates to one")
    d.marginal(hat, (x_s, y), (x_t,), "and so does the kernel")
    d.marginal(hat, (x_s,), (y, x_t), "over both, the law of the cleaner state")
    d.marginal(hat, (x_t,), (y, x_s), "over the label and the cleaner state, that of the noisier one")
    return q, hat


@derivation(id="guidance.kernel", title="without its label, one step of noise is the same", source=DHARIWAL)
def kernel(d):
    """Averaging a kernel that does not depend on the label over the label leaves the kernel."""
    q, hat = one_step(d)
    d.equal(hat(x_t, given=(x_s, y)), q(x_t, given=x_s), "as it was defined, given the label")
    d.equal(hat(x_t, given=x_s), q(x_t, given=x_s), "and so without the label")


@derivation(id="guidance.path", title="without its label, the whole path of noise is the same", source=DHARIWAL)
def path(d):
    """Induction on the number of steps, with the whole past as one variable."""
    q, hat, labels = d.law("q"), d.law("qhat", r"\hat q"), d.law("l", r"\hat q")
    d.define(hat, (y, x_0), q(x_0) * labels(y, given=x_0), "the data are drawn, then their label")
    start = d.marginal(hat, (x_0,), (y,), "base: labels integrate to one")
    d.equal(start, q(x_0), "before any noise, the two laws of the data are one")
    p, p_hat = d.law("p", "q"), d.law("phat", r"\hat q")
    d.define(p, (x_t, x_s, past, x_0), p(x_s, past, x_0) * q(x_t, given=x_s), "the chain is Markov")
    d.define(
        p_hat, (x_t, y, x_s, past, x_0), p_hat(y, x_s, past, x_0) * q(x_t, given=x_s), "one more step of noise, without the label"
    )
    longer = d.marginal(p_hat, (x_t, x_s, past, x_0), (y,), "sum over the labels")
    d.equal(
        longer / p(x_t, x_s, past, x_0), p_hat(x_s, past, x_0) / p(x_s, past, x_0),
        "the quotient of the laws of the paths, with the label and without, does not change in a step",
    )  # fmt: skip
    d.induction(ratio, start / q(x_0), ratio, 1, {}, {}, "it is 1 before the first step, and each step keeps it")


@derivation(id="guidance.marginals", title="without its label, a noised state has the same law", source=DHARIWAL)
def marginals(d):
    """Equal laws of the paths have equal marginals; given the data, too."""
    q, hat = d.law("q"), d.law("qhat", r"\hat q")
    d.define(hat, (x_t, past, x_0), q(x_t, past, x_0), "the paths have one law: the page before")
    d.marginal(hat, (x_t, x_0), (past,), "what lies between is integrated out")
    d.marginal(hat, (x_t,), (past, x_0), "and so are the data")
    d.marginal(hat, (x_0,), (past, x_t), "or everything but the data")
    d.equal(hat(x_t, given=x_0), q(x_t, given=x_0), "given the data: the forward marginal, a Gaussian as before")
    d.equal(hat(x_t), q(x_t), "and the law of a noised state")


@derivation(id="guidance.label_forgets", title="a label of a noised state forgets the noisier ones", source=DHARIWAL)
def label_forgets(d):
    """Given the cleaner state, the noisier one is noise that knows nothing of the label, so it says nothing of it."""
    _, hat = one_step(d)
    given_both = hat(y, given=(x_s, x_t))
    d.equal(given_both, hat(y, given=x_s), "the kernel cancels: a classifier of x_s alone is enough")


@derivation(id="guidance.unconditional_reverse", title="without its label, the reverse step is the same", source=DHARIWAL)
def unconditional_reverse(d):
    """The joint law of two times is the same, and so is the law of the one given the other."""
    q, hat = whole(d)
    d.equal(hat(x_s, x_t), q(x_s, x_t), "kernel and marginal are the same")
    d.equal(hat(x_s, given=x_t), q(x_s, given=x_t), "so the reverse step needs no label to be learnt")


@derivation(
    id="guidance.reverse_step", title="the guided reverse step: the reverse step, weighed by a classifier of where it goes",
    source="Dhariwal & Nichol 2021, eq. 2 and app. H",
)  # fmt: skip
def reverse_step(d):
    """Bayes' rule for the step. Its normaliser is the classifier of the state that the step comes from."""
    q, hat = whole(d)
    step, classifier, joint = q(x_s, given=x_t), hat(y, given=x_s), hat(x_s, x_t, y)
    d.equal(joint, q(x_t) * step * classifier, "the kernel, turned round; the classifier of the cleaner state is enough")
    identity = d.integrate(
        [(1, joint)], [(q(x_t), step * classifier)], (x_s,), {joint: labelled, step * classifier: Z},
        "both sides over the cleaner state: on the left the law of the noisier one with its label",
    )  # fmt: skip
    d.solve([identity], {labelled: q(x_t) * Z}, "so it is the law of the noisier state times Z")
    d.equal(q(x_t) * Z / hat(x_t), Z, "and Z is the label given the noisier state: a classifier of that one")
    d.equal(joint / (q(x_t) * Z), step * classifier / Z, "the guided step: the reverse step times a classifier, normalised")
    d.misprint(step * classifier, "not normalised", right=joint / (q(x_t) * Z))
    d.misprint(step / classifier, "the classifier divides", right=step * classifier)
