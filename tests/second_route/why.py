"""What was found out beyond the numbers, by sampler and check: why a failure is not confirmed, or where it comes from."""

WHY: dict[tuple[str, str], str] = {
    ("CogVideoXDDIMScheduler", "point-mass"): (
        "Not confirmed where set_alpha_to_one is False: there the method itself does not end on the data, and what is left is "
        "that eta is not used, which noise-scale says, or less than this route resolves."
    ),
    ("REABSampler", "order"): (
        "Its documentation has sqrt(1 + exp(2 s)), which is sqrt(alpha_s^2 + sigma_s^2), where the code has sqrt(alpha_s^2 + "
        "sigma_t^2); with that letter changed the error falls as the power 1.90 of the step, and with order=3 as 3.08."
    ),
}
