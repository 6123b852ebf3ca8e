"""Password hashing for tests."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2PasswordHasher(Argon2PasswordHasher):
    """The product's algorithm with the least work it allows."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
