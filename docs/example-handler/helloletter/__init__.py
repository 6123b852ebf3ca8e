"""A welcome letter by post for each unit of an item."""
