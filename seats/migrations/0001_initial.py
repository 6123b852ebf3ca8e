import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('common', '0001_initial'),
        ('courses', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AssignmentBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('planning', 'Planning'), ('planned', 'Planned'), ('applying', 'Applying'), ('applied', 'Applied'), ('discarded', 'Discarded')], default='planning', max_length=10)),
                ('size', models.PositiveIntegerField()),
                ('source', models.CharField(max_length=10)),
                ('ignored_columns', models.JSONField(default=list)),
                ('ignored_sheets', models.JSONField(default=list)),
                ('language', models.CharField(default='fr', max_length=8)),
                ('created_by', models.CharField(max_length=120)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('planned_at', models.DateTimeField(blank=True, null=True)),
                ('applied_at', models.DateTimeField(blank=True, null=True)),
                ('applied_by', models.CharField(blank=True, max_length=120)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='batches', to='accounts.customeraccount')),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='courses.course')),
                ('job', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='common.job')),
            ],
        ),
        migrations.CreateModel(
            name='AssignmentRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('email', models.CharField(blank=True, max_length=320)),
                ('email_key', models.CharField(blank=True, max_length=320)),
                ('first_name', models.CharField(blank=True, max_length=150)),
                ('last_name', models.CharField(blank=True, max_length=150)),
                ('role', models.CharField(default='learner', max_length=10, verbose_name='role')),
                ('problems', models.JSONField(blank=True, default=list)),
                ('planned_verdict', models.CharField(blank=True, choices=[('new_account', 'New Account'), ('existing_account', 'Existing Account'), ('already_enrolled', 'Already Enrolled'), ('duplicate', 'Duplicate'), ('invalid', 'Invalid'), ('no_seat', 'No Seat'), ('not_allowed', 'Not Allowed')], max_length=20)),
                ('verdict', models.CharField(blank=True, choices=[('new_account', 'New Account'), ('existing_account', 'Existing Account'), ('already_enrolled', 'Already Enrolled'), ('duplicate', 'Duplicate'), ('invalid', 'Invalid'), ('no_seat', 'No Seat'), ('not_allowed', 'Not Allowed')], max_length=20)),
                ('detail', models.JSONField(blank=True, default=dict)),
                ('outcome', models.CharField(blank=True, choices=[('assigned', 'Assigned'), ('unchanged', 'Unchanged'), ('refused', 'Refused'), ('failed', 'Failed'), ('pending', 'Pending')], max_length=10)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='seats.assignmentbatch')),
            ],
            options={
                'ordering': ('position',),
            },
        ),
        migrations.CreateModel(
            name='EndingNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(max_length=40)),
                ('ends_on', models.DateField()),
                ('days', models.PositiveIntegerField()),
                ('told_on', models.DateField()),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ending_notices', to='accounts.customeraccount')),
            ],
        ),
        migrations.CreateModel(
            name='Seat',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ordinal', models.PositiveIntegerField()),
                ('reference', models.CharField(max_length=19, unique=True)),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                ('expired_at', models.DateTimeField(blank=True, null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='seats', to='accounts.customeraccount')),
            ],
        ),
        migrations.CreateModel(
            name='Assignment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(max_length=40)),
                ('group_name', models.CharField(blank=True, max_length=200)),
                ('email', models.EmailField(max_length=254)),
                ('first_name', models.CharField(blank=True, max_length=150)),
                ('last_name', models.CharField(blank=True, max_length=150)),
                ('state', models.CharField(choices=[('reserved', 'Reserved'), ('live', 'Live'), ('ended', 'Ended')], default='reserved', max_length=10)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('opened_at', models.DateTimeField(blank=True, null=True)),
                ('created_login', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_by', models.CharField(max_length=120)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('ended_by', models.CharField(blank=True, max_length=120)),
                ('end_reason', models.CharField(blank=True, choices=[('taken_back', 'Taken Back'), ('replaced', 'Replaced'), ('corrected', 'Corrected'), ('expired', 'Expired'), ('withdrawn', 'Withdrawn'), ('failed', 'Failed')], max_length=12)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='accounts.customeraccount')),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='seat_assignments', to='courses.course')),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='seat_assignments', to=settings.AUTH_USER_MODEL)),
                ('row', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='assignment', to='seats.assignmentrow')),
                ('seat', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='seats.seat')),
            ],
        ),
        migrations.CreateModel(
            name='SeatPool',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line_key', models.UUIDField(unique=True)),
                ('item_code', models.CharField(max_length=40)),
                ('item_name', models.CharField(max_length=200)),
                ('bill_number', models.CharField(max_length=40)),
                ('size', models.PositiveIntegerField()),
                ('courselist', models.TextField(blank=True)),
                ('learner', models.CharField(default='student', max_length=40)),
                ('supervisor', models.CharField(default='teacher', max_length=40)),
                ('assign_before', models.DateTimeField(blank=True, null=True)),
                ('validity_seconds', models.PositiveBigIntegerField(blank=True, null=True)),
                ('unassigned_end', models.CharField(choices=[('extend', 'they may be given for as long again'), ('credit', 'they expire, and the shop is told what to credit'), ('nothing', 'they expire')], default='extend', max_length=10)),
                ('access_seconds', models.PositiveBigIntegerField(blank=True, null=True)),
                ('access_starts_at', models.DateTimeField(blank=True, null=True)),
                ('access_ends_at', models.DateTimeField(blank=True, null=True)),
                ('renewable', models.BooleanField(default=False)),
                ('purchased_at', models.DateTimeField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='seat_pools', to='accounts.customeraccount')),
                ('course', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='courses.course')),
            ],
        ),
        migrations.AddField(
            model_name='seat',
            name='pool',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='seats', to='seats.seatpool'),
        ),
        migrations.AddField(
            model_name='assignmentbatch',
            name='pool',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='seats.seatpool'),
        ),
        migrations.CreateModel(
            name='Session',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line_key', models.UUIDField(unique=True)),
                ('reference', models.CharField(max_length=19, unique=True)),
                ('group_name', models.CharField(max_length=200)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('expired_at', models.DateTimeField(blank=True, null=True)),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sessions', to='accounts.customeraccount')),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='seat_sessions', to='courses.course')),
                ('pool', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='session', to='seats.seatpool')),
            ],
        ),
        migrations.AddConstraint(
            model_name='assignmentrow',
            constraint=models.UniqueConstraint(fields=('batch', 'position'), name='row_once_per_batch'),
        ),
        migrations.AddIndex(
            model_name='endingnotice',
            index=models.Index(fields=['told_on', 'account'], name='notice_of_day'),
        ),
        migrations.AddConstraint(
            model_name='endingnotice',
            constraint=models.UniqueConstraint(fields=('subject', 'ends_on', 'days'), name='ending_told_once'),
        ),
        migrations.AddIndex(
            model_name='assignment',
            index=models.Index(fields=['account', '-id'], name='assignment_of_account'),
        ),
        migrations.AddIndex(
            model_name='assignment',
            index=models.Index(condition=models.Q(('ended_at', None)), fields=['ends_at'], name='assignment_ending'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('seat',), name='seat_one_live'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('person', 'course'), name='person_one_live_seat_per_course'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state', 'ended')), models.Q(('ended_at', None), models.Q(('state', 'ended'), _negated=True)), _connector='OR'), name='assignment_ended_has_an_end'),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(('person__isnull', False), ('ended_at__isnull', False), _connector='OR'), name='assignment_live_has_a_person'),
        ),
        migrations.AddIndex(
            model_name='seatpool',
            index=models.Index(fields=['account', 'id'], name='pool_of_account'),
        ),
        migrations.AddIndex(
            model_name='seat',
            index=models.Index(fields=['account', 'id'], name='seat_of_account'),
        ),
        migrations.AddIndex(
            model_name='seat',
            index=models.Index(condition=models.Q(('expired_at', None), ('withdrawn_at', None)), fields=['pool'], name='seat_lasting'),
        ),
        migrations.AddConstraint(
            model_name='seat',
            constraint=models.UniqueConstraint(fields=('pool', 'ordinal'), name='seat_once_per_line'),
        ),
        migrations.AddConstraint(
            model_name='assignmentbatch',
            constraint=models.UniqueConstraint(condition=models.Q(('source', 'order')), fields=('pool',), name='list_of_order_once_per_line'),
        ),
        migrations.AddIndex(
            model_name='session',
            index=models.Index(fields=['account', 'id'], name='session_of_account'),
        ),
        migrations.AddIndex(
            model_name='session',
            index=models.Index(condition=models.Q(('expired_at', None), ('withdrawn_at', None)), fields=['ends_at'], name='session_ending'),
        ),
    ]
