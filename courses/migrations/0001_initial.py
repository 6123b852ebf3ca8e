import common.media
import courses.models
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ProductEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(db_index=True, max_length=19)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('actor', models.CharField(max_length=120)),
                ('verb', models.CharField(max_length=40)),
                ('detail', models.JSONField(blank=True, default=dict)),
                ('key', models.CharField(blank=True, max_length=120, null=True, unique=True)),
            ],
            options={
                'ordering': ('at', 'id'),
            },
        ),
        migrations.CreateModel(
            name='CourseCategory',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('position', models.PositiveIntegerField(default=0, verbose_name='position')),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='courses.coursecategory', verbose_name='parent category')),
            ],
            options={
                'verbose_name': 'course category',
                'verbose_name_plural': 'course categories',
                'ordering': ('position', 'name', 'id'),
            },
        ),
        migrations.CreateModel(
            name='Course',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('shortname', models.CharField(max_length=100, unique=True, validators=[courses.models.validate_shortname], verbose_name='short name')),
                ('fullname', models.CharField(max_length=254, verbose_name='full name')),
                ('summary', models.TextField(blank=True, verbose_name='summary')),
                ('visible', models.BooleanField(default=True, verbose_name='visible')),
                ('groups_mode', models.CharField(choices=[('none', 'no groups'), ('visible', 'visible groups'), ('separate', 'separate groups')], default='none', max_length=10, verbose_name='groups')),
                ('starts_at', models.DateTimeField(blank=True, null=True, verbose_name='starts')),
                ('ends_at', models.DateTimeField(blank=True, null=True, verbose_name='ends')),
                ('closed_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('is_template', models.BooleanField(default=False, verbose_name='template')),
                ('is_support', models.BooleanField(default=False, verbose_name='customer support course')),
                ('is_space', models.BooleanField(default=False, editable=False, verbose_name='course space of a customer')),
                ('not_for_seats', models.BooleanField(default=False, verbose_name='not for unassigned seats')),
                ('remote_id', models.BigIntegerField(blank=True, editable=False, null=True, unique=True)),
                ('copy_key', models.CharField(blank=True, editable=False, max_length=80, null=True, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('category', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='courses', to='courses.coursecategory', verbose_name='category')),
            ],
            options={
                'verbose_name': 'course',
                'verbose_name_plural': 'courses',
                'ordering': ('fullname', 'id'),
            },
        ),
        migrations.CreateModel(
            name='CourseSpace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(max_length=19, unique=True, verbose_name='reference')),
                ('line_key', models.UUIDField()),
                ('ordinal', models.PositiveIntegerField()),
                ('item_code', models.CharField(max_length=40)),
                ('item_name', models.CharField(max_length=200, verbose_name='item')),
                ('bill_number', models.CharField(max_length=40, verbose_name='order')),
                ('starts_at', models.DateTimeField(verbose_name='starts')),
                ('ends_at', models.DateTimeField(verbose_name='ends')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='closed')),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True, verbose_name='withdrawn')),
                ('max_participants', models.PositiveIntegerField(blank=True, null=True, verbose_name='most participants')),
                ('renewable', models.BooleanField(default=False, verbose_name='renewable')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='spaces', to='accounts.customeraccount', verbose_name='organisation')),
                ('course', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='space', to='courses.course', verbose_name='course')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='spaces', to=settings.AUTH_USER_MODEL, verbose_name='owner of the course')),
            ],
            options={
                'verbose_name': 'course space',
                'verbose_name_plural': 'course spaces',
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='Enrolment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(max_length=40, verbose_name='role')),
                ('status', models.CharField(choices=[('active', 'active'), ('suspended', 'suspended')], default='active', max_length=10, verbose_name='status')),
                ('starts_at', models.DateTimeField(verbose_name='starts')),
                ('ends_at', models.DateTimeField(blank=True, null=True, verbose_name='ends')),
                ('opened_at', models.DateTimeField(blank=True, null=True, verbose_name='opened by the participant')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='enrolments', to='courses.course', verbose_name='course')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='enrolments', to=settings.AUTH_USER_MODEL, verbose_name='person')),
            ],
            options={
                'verbose_name': 'enrolment',
                'verbose_name_plural': 'enrolments',
            },
        ),
        migrations.CreateModel(
            name='Group',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='groups', to='courses.course')),
            ],
        ),
        migrations.CreateModel(
            name='GroupMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('group', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='members', to='courses.group')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Page',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(verbose_name='position')),
                ('title', models.CharField(max_length=200, verbose_name='title')),
                ('body', models.TextField(blank=True, help_text='Markdown.', verbose_name='text')),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pages', to='courses.course')),
            ],
            options={
                'verbose_name': 'page',
                'verbose_name_plural': 'pages',
                'ordering': ('position', 'id'),
            },
        ),
        migrations.CreateModel(
            name='PageDone',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('page', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='done', to='courses.page')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='PlatformLogin',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('platform', models.CharField(max_length=20)),
                ('username', models.CharField(max_length=254)),
                ('remote_id', models.BigIntegerField(blank=True, null=True)),
                ('person', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='platform_login', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Backup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_by', models.CharField(max_length=120)),
                ('with_users', models.BooleanField(default=False)),
                ('pages', models.PositiveIntegerField()),
                ('people', models.PositiveIntegerField(default=0)),
                ('file', models.FileField(max_length=200, storage=common.media.private_storage, upload_to=courses.models.backup_path)),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='backups', to='courses.course')),
            ],
            options={
                'ordering': ('-created_at', '-id'),
                'indexes': [models.Index(fields=['course', '-created_at'], name='backup_of_course')],
            },
        ),
        migrations.AddConstraint(
            model_name='coursecategory',
            constraint=models.UniqueConstraint(fields=('parent', 'name'), name='course_category_name_once'),
        ),
        migrations.AddConstraint(
            model_name='coursecategory',
            constraint=models.UniqueConstraint(condition=models.Q(('parent', None)), fields=('name',), name='course_category_top_name_once'),
        ),
        migrations.AddIndex(
            model_name='coursespace',
            index=models.Index(condition=models.Q(('closed_at', None)), fields=['ends_at'], name='space_ending'),
        ),
        migrations.AddConstraint(
            model_name='coursespace',
            constraint=models.UniqueConstraint(fields=('line_key', 'ordinal'), name='space_once_per_unit'),
        ),
        migrations.AddConstraint(
            model_name='coursespace',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='space_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='enrolment',
            constraint=models.UniqueConstraint(fields=('course', 'person'), name='enrolment_once'),
        ),
        migrations.AddConstraint(
            model_name='enrolment',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at', None), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='enrolment_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='group',
            constraint=models.UniqueConstraint(fields=('course', 'name'), name='group_name_once'),
        ),
        migrations.AddConstraint(
            model_name='groupmember',
            constraint=models.UniqueConstraint(fields=('group', 'person'), name='group_member_once'),
        ),
        migrations.AddConstraint(
            model_name='pagedone',
            constraint=models.UniqueConstraint(fields=('page', 'person'), name='page_done_once'),
        ),
        migrations.AddConstraint(
            model_name='platformlogin',
            constraint=models.UniqueConstraint(fields=('platform', 'username'), name='platform_login_once'),
        ),
    ]
