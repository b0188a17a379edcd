"""What was found out about failures that the second route does not confirm, by sampler and check."""

_ROUNDS = (
    "In double precision, in which verifydiff first runs the scheduler's code, 1 - abar - sigma^2 rounds to -1e-16 at this number "
    "of steps, and has no root; in single precision, as shipped, the same happens at other numbers (see precision)."
)
_CUT = (
    "So it is clipping to one range. The check says otherwise since it takes the step for one to the level where it should land; "
    "that it lands elsewhere is what pairing says."
)

WHY: dict[tuple[str, str], str] = {
    ("DDIMScheduler", "behaviour"): _ROUNDS,
    ("DDIMParallelScheduler", "behaviour"): _ROUNDS,
    ("DDIMScheduler", "clipping"): _CUT,
    ("DDIMParallelScheduler", "clipping"): _CUT,
    ("KarrasVeScheduler", "pairing"): "With s_noise = 1 pairing passes: the failure is an option that the class is asked for.",
}
