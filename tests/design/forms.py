"""Forms that show every kind of field."""

from __future__ import annotations

from django import forms

from common.forms import DateInput, FileDrop, Stepper


class Kinds(forms.Form):
    email = forms.EmailField(
        label="E-mail", help_text="The order is confirmed to this address.", widget=forms.EmailInput()
    )
    seats = forms.IntegerField(label="Seats", min_value=1, max_value=500, initial=12, widget=Stepper())
    starts = forms.DateField(label="First day", widget=DateInput())
    course = forms.ChoiceField(
        label="Course", choices=[("", "Choose a course"), ("SPOC-M1", "Appropriation Moodle")]
    )
    reference = forms.CharField(
        label="Your order number", required=False, help_text="Printed on every document.", max_length=40
    )
    role = forms.ChoiceField(
        label="Role",
        choices=[("learner", "Learner"), ("tutor", "Tutor")],
        widget=forms.RadioSelect,
        help_text="A tutor takes a seat, as a learner does.",
    )
    people = forms.CharField(label="People", widget=forms.Textarea(attrs={"rows": 4}), required=False)
    file = forms.FileField(label="File", required=False, help_text="CSV or XLSX, 5 MB.", widget=FileDrop())
    terms = forms.BooleanField(label="I agree to the terms of sale", help_text="They were mailed to you.")
    token = forms.CharField(widget=forms.HiddenInput, initial="abc")


class Entry(forms.Form):
    email = forms.EmailField(label="E-mail")
    first_name = forms.CharField(label="First name", required=False)
    last_name = forms.CharField(label="Last name", required=False)
    role = forms.ChoiceField(label="Role", choices=[("learner", "Learner"), ("tutor", "Tutor")])


Entries = forms.formset_factory(Entry, extra=2)
