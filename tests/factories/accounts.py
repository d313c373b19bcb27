"""People who sign in."""

from __future__ import annotations

from django.contrib.auth.models import Group

from crm.accounts.models import User
from crm.roles import Role


def in_role(*roles: Role) -> User:
    """A member of staff who has these roles and nothing else."""
    name = "-".join(role.value.replace(" ", "-") for role in roles).lower() or "nobody"
    email = f"{name}@example.com"
    user = User.objects.filter(email=email).first() or User.objects.create_user(
        email, "a long enough secret", is_staff=True
    )
    user.groups.set(Group.objects.filter(name__in=roles))
    return user
