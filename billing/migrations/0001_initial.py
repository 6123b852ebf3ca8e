import django.db.models.deletion
import django.utils.timezone
import django_countries.fields
import uuid
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('catalog', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Bill',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=40, unique=True, verbose_name='number')),
                ('state', models.CharField(choices=[('draft', 'draft'), ('placed', 'placed'), ('cancelled', 'cancelled')], default='placed', max_length=10, verbose_name='state')),
                ('currency', models.CharField(max_length=3)),
                ('language', models.CharField(default='fr', max_length=8)),
                ('paymode', models.CharField(choices=[('transfer', 'bank transfer'), ('testcard', 'test card'), ('free', 'nothing to pay')], max_length=10, verbose_name='way of paying')),
                ('purchase_order', models.CharField(blank=True, max_length=60, verbose_name='your order number')),
                ('net', models.BigIntegerField()),
                ('tax', models.BigIntegerField()),
                ('gross', models.BigIntegerField()),
                ('terms_version', models.CharField(blank=True, max_length=20, verbose_name='terms agreed to')),
                ('terms_agreed_at', models.DateTimeField(blank=True, null=True)),
                ('placed_at', models.DateTimeField(blank=True, null=True, verbose_name='placed')),
                ('opened_at', models.DateTimeField(blank=True, null=True, verbose_name='opened')),
                ('opened_how', models.CharField(blank=True, choices=[('payment', 'payment'), ('free', 'nothing to pay'), ('credit', 'credit')], max_length=20, verbose_name='opened by')),
                ('opened_by', models.CharField(blank=True, max_length=120)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('checkout_key', models.CharField(editable=False, max_length=64, null=True, unique=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bills', to='accounts.customeraccount', verbose_name='organisation')),
                ('buyer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bills', to=settings.AUTH_USER_MODEL, verbose_name='ordered by')),
                ('shop', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bills', to='catalog.shop')),
            ],
            options={
                'verbose_name': 'order',
                'verbose_name_plural': 'orders',
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='BillLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('position', models.PositiveIntegerField()),
                ('item_code', models.CharField(max_length=40, verbose_name='code')),
                ('item_name', models.CharField(max_length=200, verbose_name='item')),
                ('quantity', models.PositiveIntegerField(verbose_name='quantity')),
                ('unit_price', models.BigIntegerField()),
                ('price_includes_tax', models.BooleanField()),
                ('tax_rate', models.DecimalField(decimal_places=2, default=Decimal('0'), max_digits=5)),
                ('net', models.BigIntegerField()),
                ('tax', models.BigIntegerField()),
                ('gross', models.BigIntegerField()),
                ('handler', models.CharField(blank=True, max_length=60, verbose_name='automation')),
                ('params', models.TextField(blank=True, verbose_name='parameters')),
                ('seat_mode', models.CharField(default='none', max_length=10)),
                ('renewable', models.BooleanField(default=False)),
                ('unassigned_end', models.CharField(default='extend', max_length=10)),
                ('customer_data', models.JSONField(blank=True, default=list)),
                ('answers', models.JSONField(blank=True, default=list)),
                ('bill', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='billing.bill')),
                ('item', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='catalog.catalogitem')),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='billing.billline')),
            ],
            options={
                'verbose_name': 'line',
                'verbose_name_plural': 'lines',
                'ordering': ('position', 'id'),
            },
        ),
        migrations.CreateModel(
            name='BillParticipant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('email', models.EmailField(max_length=254)),
                ('first_name', models.CharField(blank=True, max_length=150)),
                ('last_name', models.CharField(blank=True, max_length=150)),
                ('role', models.CharField(default='learner', max_length=10)),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='participants', to='billing.billline')),
            ],
            options={
                'ordering': ('position',),
            },
        ),
        migrations.CreateModel(
            name='BillParty',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('customer', 'customer'), ('payer', 'payer'), ('recipient', 'recipient')], max_length=10, verbose_name='role')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('siren', models.CharField(blank=True, max_length=9, verbose_name='SIREN')),
                ('vat_number', models.CharField(blank=True, max_length=20, verbose_name='VAT number')),
                ('address', models.TextField(blank=True, max_length=500, verbose_name='address')),
                ('postcode', models.CharField(blank=True, max_length=20, verbose_name='postcode')),
                ('city', models.CharField(blank=True, max_length=100, verbose_name='city')),
                ('country', django_countries.fields.CountryField(default='FR', max_length=2, verbose_name='country')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail address')),
                ('bill', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parties', to='billing.bill')),
            ],
            options={
                'verbose_name': 'party',
                'verbose_name_plural': 'parties',
            },
        ),
        migrations.CreateModel(
            name='Cart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.CharField(max_length=43, unique=True)),
                ('identity', models.JSONField(blank=True, default=dict)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='carts', to='accounts.customeraccount')),
                ('person', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='carts', to=settings.AUTH_USER_MODEL)),
                ('shop', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='carts', to='catalog.shop')),
            ],
        ),
        migrations.CreateModel(
            name='CartLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.PositiveIntegerField()),
                ('customer_data', models.JSONField(blank=True, default=list)),
                ('answers', models.JSONField(blank=True, default=list)),
                ('participants', models.JSONField(blank=True, default=list)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('removed_at', models.DateTimeField(blank=True, null=True)),
                ('cart', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='billing.cart')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.catalogitem')),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='Payment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.BigIntegerField()),
                ('gateway', models.CharField(max_length=20, verbose_name='way of paying')),
                ('reference', models.CharField(max_length=120, verbose_name='reference')),
                ('received_at', models.DateTimeField(verbose_name='received')),
                ('recorded_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='recorded')),
                ('recorded_by', models.CharField(max_length=120)),
                ('bill', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='billing.bill')),
            ],
            options={
                'verbose_name': 'payment',
                'verbose_name_plural': 'payments',
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='ProductionRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('not_before', models.DateTimeField(default=django.utils.timezone.now)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('last_error', models.TextField(blank=True)),
                ('phase', models.CharField(choices=[('prepare', 'before payment'), ('deliver', 'delivery')], max_length=10, verbose_name='phase')),
                ('handler', models.CharField(max_length=60, verbose_name='automation')),
                ('state', models.CharField(choices=[('queued', 'queued'), ('running', 'running'), ('waiting', 'waits'), ('done', 'done'), ('failed', 'failed')], default='queued', max_length=10, verbose_name='state')),
                ('error_field', models.CharField(blank=True, max_length=60)),
                ('attempts_before', models.PositiveIntegerField(default=0)),
                ('delivered', models.JSONField(blank=True, default=dict)),
                ('feedback', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                ('held_at', models.DateTimeField(blank=True, null=True)),
                ('abandoned_at', models.DateTimeField(blank=True, null=True)),
                ('abandoned_why', models.CharField(blank=True, max_length=300)),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='billing.billline')),
            ],
            options={
                'verbose_name': 'delivery',
                'verbose_name_plural': 'deliveries',
                'ordering': ('id',),
            },
        ),
        migrations.AddIndex(
            model_name='bill',
            index=models.Index(fields=['account', '-id'], name='bill_of_account'),
        ),
        migrations.AddConstraint(
            model_name='billline',
            constraint=models.UniqueConstraint(fields=('bill', 'position'), name='bill_line_position_once'),
        ),
        migrations.AddConstraint(
            model_name='billline',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='bill_line_quantity_positive'),
        ),
        migrations.AddConstraint(
            model_name='billparticipant',
            constraint=models.UniqueConstraint(fields=('line', 'position'), name='bill_participant_once'),
        ),
        migrations.AddConstraint(
            model_name='cart',
            constraint=models.UniqueConstraint(fields=('person', 'account', 'shop'), name='cart_one_per_person_and_account'),
        ),
        migrations.AddConstraint(
            model_name='cart',
            constraint=models.UniqueConstraint(condition=models.Q(('account', None), ('person__isnull', False)), fields=('person', 'shop'), name='cart_one_per_person_without_account'),
        ),
        migrations.AddConstraint(
            model_name='cartline',
            constraint=models.UniqueConstraint(fields=('cart', 'item'), name='cart_line_once_per_item'),
        ),
        migrations.AddConstraint(
            model_name='cartline',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='cart_line_quantity_positive'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.UniqueConstraint(fields=('gateway', 'reference'), name='payment_reference_once'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(('amount', 0), _negated=True), name='payment_not_zero'),
        ),
        migrations.AddIndex(
            model_name='productionrun',
            index=models.Index(condition=models.Q(('state__in', ['queued', 'waiting', 'running'])), fields=['not_before'], name='run_waiting'),
        ),
        migrations.AddConstraint(
            model_name='productionrun',
            constraint=models.UniqueConstraint(fields=('line', 'phase'), name='run_once_per_line_and_phase'),
        ),
        migrations.AddConstraint(
            model_name='productionrun',
            constraint=models.CheckConstraint(condition=models.Q(('held_at', None), ('state__in', ['queued', 'waiting']), _connector='OR'), name='run_held_unstarted'),
        ),
        migrations.AddConstraint(
            model_name='productionrun',
            constraint=models.CheckConstraint(condition=models.Q(('abandoned_at', None), ('state', 'failed'), _connector='OR'), name='run_abandoned_failed'),
        ),
    ]
