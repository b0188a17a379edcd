"""The words of LaTeX mathematics, and what authors use them for."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """A set of words, written side by side."""
    return frozenset(text.split())


GREEK = words("""
    alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega
    Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell
    """)
VARIANTS = {
    "varepsilon": "epsilon", "vartheta": "theta", "varphi": "phi", "varsigma": "sigma", "varrho": "rho", "infty": "infty",
    "Id": "I", "hbar": "hbar", "varnothing": "empty", "emptyset": "empty", "bullet": "bullet", "star": "star", "ast": "star",
}  # fmt: skip
ACCENTS = {
    "bar": "bar", "overline": "bar", "hat": "hat", "widehat": "hat", "tilde": "tilde", "widetilde": "tilde", "dot": "dot",
    "check": "check", "breve": "breve", "vec": "", "underline": "underline", "mathring": "ring", "ddot": "ddot",
    "overrightarrow": "",
}  # fmt: skip
FONTS = words("""
    mathbf boldsymbol bm mathrm mathit mathsf pmb mathtt operatorname operatorname* mathbfit mathnormal symbf symbfit
    boldmath ensuremath mathop mathord mathbin up bf rm it boxed bfseries
    """)
SCRIPTS = {"mathcal": "cal", "mathscr": "cal", "mathbb": "bb", "mathfrak": "frak", "cal": "cal", "mathds": "bb"}
FUNCTIONS = words("""
    log ln exp cos sin tan arccos arctan sqrt max min tanh sinh cosh Tr tr det diag sgn expm logdet coth Trace trace arcsin
    sign
    """)
FRACTIONS = words("frac dfrac tfrac cfrac nicefrac sfrac")
DOTS = words("dots ldots cdots dotsc dotsb vdots dotsm dotsi")
PRODUCTS = words("cdot times odot ast circ bullet")
LARGE = {"sum": "sum", "prod": "prod", "int": "int", "iint": "int"}
CLOSERS = {"(": ")", "[": "]", "lbrace": "rbrace", "langle": "rangle"}
MEANS = {"bb:E": "E", "E": "E", "cal:E": "E", "bb:V": "Var", "Var": "Var", "var": "Var", "Cov": "Cov", "cov": "Cov"}
DENSITIES = {"p", "q", "r", "pi", "P", "Q", "bb:P"}
NETWORKS = words("""
    f g D F G H h U cal:N KL SNR logSNR snr D_KL cal:L L cal:U Uniform NN N cal:D clip Law softmax sigmoid R J cal:J V cal:F
    stopgrad sg Unif Categorical Cat score UNet net logit erf T c Beta Bernoulli
    """)
TIMED = words("""
    x alpha beta sigma lambda B w gamma y mu Sigma m v s a b rho phi z k W psi nu t epsilon omega u delta eta zeta C A l tau
    kappa Lambda Phi xi
    """)
TIMES = words("t s i k n tau T u j r")
MODELS = words("theta phi psi vartheta omega Theta")
WORDS = words("SNR KL Var Cov tr Tr const logSNR snr data model Uniform MSE ELBO VLB NLL")
DIFFERENTIALS = words("x t w W s z y sigma lambda tau bar u B X Z Y epsilon r omega v mu Sigma")
LABELS = words("""
    KL data skip out in noise min max prev next simple vlb model cfg uncond cond large small vpred guided VLB ELBO eps
    hybrid DM LDM SM DSM sm dsm
    """)
STATED = words("overset stackrel underset overbrace underbrace")
ENDING = words("rbrace } rangle rVert vert mid parallel over rvert rfloor rceil pm mp setminus cup cap")
ENDING |= {"end of the choice"}
STEPS = words("dt h delta Delta")
r"""Letters of a small step in time: :math:`\Delta t`, h."""
