"""Handler parameters in the admin: real fields and the string, in step, and the paste box "from local_shop"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog.forms import ItemForm
from handlers.base import Handler
from handlers.params import Parsed, from_local_shop, serialise
from handlers.registry import all_handlers


def field_name(handler: Handler, key: str) -> str:
    """Name of the admin field that shows one parameter of one handler."""
    return f"param-{handler.name}-{key}"


def param_fields() -> dict[str, forms.CharField]:
    """One optional field per parameter of every handler: what is required, the handler itself checks."""
    found = {}
    for handler in all_handlers():
        for key, source in handler.Params.base_fields.items():
            found[field_name(handler, key)] = forms.CharField(
                label=format_html(
                    "{} <code>{}</code>{}", source.label or key, key, "\xa0*" if source.required else ""
                ),
                help_text=source.help_text,
                required=False,
                widget=forms.TextInput(attrs={"data-param": key, "data-handler": handler.name}),
            )
    return found


class ItemAdminForm(ItemForm):
    """The item's form with the parameters as fields too.

    String and fields are one thing: whichever was changed wins, and both changed differently is an error.
    """

    local_shop = forms.CharField(
        label=_("from local_shop"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_(
            "Paste a parameter string of the old shop. It is translated and shown here before anything is saved."
        ),
    )

    class Meta(ItemForm.Meta):
        pass

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound:
            self.data = self.data.copy() if isinstance(self.data, QueryDict) else dict(self.data)
        self._show(self._handler(self.initial.get("handler") or ""), self.initial.get("params") or "")

    def _handler(self, name: str) -> Handler | None:
        return next((one for one in all_handlers() if one.name == name), None)

    def _show(self, handler: Handler | None, params: str) -> None:
        """Fill the fields of a handler from a string."""
        if handler is None:
            return
        for key, text in handler.read(params).texts.items():
            self.initial[field_name(handler, key)] = text

    def _typed(self, handler: Handler) -> dict[str, str]:
        texts = {
            key: self.cleaned_data.get(field_name(handler, key), "") for key in handler.Params.base_fields
        }
        return {key: text for key, text in texts.items() if text}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("local_shop"):
            self._translate(cleaned["local_shop"])
            return cleaned
        handler = self._handler(cleaned.get("handler") or "")
        if handler is None:
            return cleaned
        changed = any(field_name(handler, key) in self.changed_data for key in handler.Params.base_fields)
        if changed:
            self._from_fields(handler, cleaned)
        return cleaned

    def _from_fields(self, handler: Handler, cleaned: dict[str, Any]) -> None:
        """Write the string from the fields; both changed and not the same is an error that changes nothing."""
        form = handler.Params(self._typed(handler))
        if not form.is_valid():
            for key, errors in form.errors.items():
                self.add_error(field_name(handler, key) if key in form.fields else "params", errors)
            return
        written = serialise(form.cleaned_data, form=handler.Params)
        if "params" in self.changed_data and not _same(handler, cleaned.get("params", ""), written):
            message = gettext(
                "The string and the fields were both changed and differ. The fields say: %(string)s"
            )
            self.add_error("params", message % {"string": written or "–"})
            return
        cleaned["params"] = written

    def _translate(self, pasted: str) -> None:
        """Show what the paste means; saving waits until somebody has read it."""
        paste = from_local_shop(pasted)
        handler = self._handler(paste.handler or self.cleaned_data.get("handler") or "")
        values: dict[str, str] = {"params": paste.string, "local_shop": ""}
        if handler is not None:
            values["handler"] = handler.name
            texts = handler.read(paste.string).texts
            values |= {field_name(handler, key): texts.get(key, "") for key in handler.Params.base_fields}
        self._replace(values)
        lines = [
            gettext("Understood: %(string)s") % {"string": paste.string or "–"},
            *paste.notes,
            gettext("Nothing is saved yet: read it, correct it if need be, and save again."),
        ]
        self.add_error(
            "params", ValidationError([ValidationError(line, code="local_shop") for line in lines])
        )

    def _replace(self, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            self.data[self.add_prefix(name)] = value  # type: ignore[index]  # a copy, made in __init__


def _same(handler: Handler, first: str, second: str) -> bool:
    one, other = handler.read(first), handler.read(second)
    return _sound(one) and one.values == other.values


def _sound(parsed: Parsed) -> bool:
    return not parsed.errors


def admin_form() -> type[ItemAdminForm]:
    """The form class with a field for every parameter of every installed handler."""
    return type("ItemAdminForm", (ItemAdminForm,), param_fields())
