"""A page to learn on: exercises whose answers are judged by proof, counterexamples to play with, an explorer of samplers."""
