"""The accounts whose buckets are read: this one, and those that send their logs here."""

from collections.abc import Collection
from dataclasses import dataclass

from servicelogs.errors import ForeignBucket
from servicelogs.parsing.places import NOWHERE, Place
from servicelogs.sources.event_notifications import ObjectToRead


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Whose objects are read, and what stands for the place that their records do not name."""

    own: str
    """This account: a bucket that nobody said to be another's is taken to be its."""
    members: Collection[str] = ()
    organization_id: str = ""
    """With it every other account is asked for; the functions' roles reach its accounts alone."""
    default: Place = NOWHERE
    """Of objects in this account's own buckets."""

    def owner_of(self, wanted: ObjectToRead) -> str:
        """Give the account that must own an object's bucket; a ForeignBucket if it is not read."""
        owner = wanted.account_id or self.own
        if owner == self.own or owner in self.members or self.organization_id:
            return owner
        raise ForeignBucket(
            f"s3://{wanted.bucket}/{wanted.key} is not read: its bucket is said to be account "
            f"{owner}'s, which is not among MemberAccountIds. Name it there and send the message "
            "again, or find out who sent it"
        )

    def default_place(self, wanted: ObjectToRead) -> Place:
        """Give the account and Region of what names none: of another account's, its bucket's."""
        if self.owner_of(wanted) == self.own:
            return self.default
        return Place(wanted.account_id, wanted.region)
