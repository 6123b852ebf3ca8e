import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import django_countries.fields
from decimal import Decimal
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Shop',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(default='shop', max_length=60, unique=True)),
                ('name', models.CharField(max_length=200, verbose_name='name of the shop')),
                ('currency', models.CharField(default='EUR', max_length=3, verbose_name='currency')),
                ('legal_name', models.CharField(blank=True, max_length=200, verbose_name='legal name')),
                ('legal_form', models.CharField(blank=True, max_length=200, verbose_name='legal form and capital')),
                ('siren', models.CharField(blank=True, max_length=9, verbose_name='SIREN')),
                ('vat_number', models.CharField(blank=True, max_length=20, verbose_name='VAT number')),
                ('address', models.TextField(blank=True, max_length=500, verbose_name='address')),
                ('postcode', models.CharField(blank=True, max_length=20, verbose_name='postcode')),
                ('city', models.CharField(blank=True, max_length=100, verbose_name='city')),
                ('country', django_countries.fields.CountryField(default='FR', max_length=2, verbose_name='country')),
                ('iban', models.CharField(blank=True, max_length=34, verbose_name='IBAN')),
                ('bic', models.CharField(blank=True, max_length=11, verbose_name='BIC')),
                ('terms_fr', models.TextField(blank=True, verbose_name='terms of sale (French)')),
                ('terms_en', models.TextField(blank=True, verbose_name='terms of sale (English)')),
                ('terms_version', models.CharField(blank=True, max_length=20, verbose_name='version of the terms')),
                ('logo', models.ImageField(blank=True, upload_to='logos/', verbose_name='logo')),
                ('mail_sender', models.EmailField(blank=True, max_length=254, verbose_name='mail sender')),
                ('help_email', models.EmailField(blank=True, max_length=254, verbose_name='help address')),
                ('help_phone', models.CharField(blank=True, max_length=40, verbose_name='help telephone')),
                ('notice_fr', models.TextField(blank=True, verbose_name='information notice (French)')),
                ('notice_en', models.TextField(blank=True, verbose_name='information notice (English)')),
                ('notice_version', models.CharField(blank=True, max_length=20, verbose_name='version of the notice')),
            ],
            options={
                'verbose_name': 'seller',
                'verbose_name_plural': 'seller',
            },
        ),
        migrations.CreateModel(
            name='Category',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=80)),
                ('name_fr', models.CharField(max_length=200, verbose_name='name (French)')),
                ('name_en', models.CharField(blank=True, max_length=200, verbose_name='name (English)')),
                ('description_fr', models.TextField(blank=True, verbose_name='description (French)')),
                ('description_en', models.TextField(blank=True, verbose_name='description (English)')),
                ('position', models.PositiveIntegerField(default=0, verbose_name='position')),
                ('visible', models.BooleanField(default=True, verbose_name='visible')),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='catalog.category')),
                ('shop', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='categories', to='catalog.shop')),
            ],
            options={
                'verbose_name': 'category',
                'verbose_name_plural': 'categories',
                'ordering': ('position', 'name_fr', 'id'),
            },
        ),
        migrations.CreateModel(
            name='CatalogItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=40, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]*$', 'Letters, digits, dot, dash, underscore.')], verbose_name='code')),
                ('name_fr', models.CharField(max_length=200, verbose_name='name (French)')),
                ('name_en', models.CharField(blank=True, max_length=200, verbose_name='name (English)')),
                ('summary_fr', models.CharField(blank=True, max_length=300, verbose_name='one sentence (French)')),
                ('summary_en', models.CharField(blank=True, max_length=300, verbose_name='one sentence (English)')),
                ('description_fr', models.TextField(blank=True, help_text='Markdown.', verbose_name='description (French)')),
                ('description_en', models.TextField(blank=True, help_text='Markdown.', verbose_name='description (English)')),
                ('image', models.ImageField(blank=True, upload_to='items/', verbose_name='image')),
                ('leaflet', models.FileField(blank=True, upload_to='leaflets/', verbose_name='leaflet (PDF)')),
                ('price', models.PositiveBigIntegerField(verbose_name='price')),
                ('price_includes_tax', models.BooleanField(default=False, verbose_name='price includes tax')),
                ('tax_rate', models.DecimalField(decimal_places=2, default=Decimal('20.00'), max_digits=5, validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('100'))], verbose_name='tax rate (%)')),
                ('handler', models.CharField(blank=True, max_length=60, verbose_name='automation')),
                ('params', models.TextField(blank=True, verbose_name='parameters')),
                ('seat_mode', models.CharField(choices=[('none', 'no participants are named'), ('one', 'one participant, whatever the quantity'), ('quantity', 'one participant per unit')], default='none', max_length=10, verbose_name='quantity means seats')),
                ('renewable', models.BooleanField(default=False, verbose_name='renewable')),
                ('unassigned_end', models.CharField(choices=[('extend', 'they may be given for as long again'), ('credit', 'they expire, and the shop is told what to credit'), ('nothing', 'they expire')], default='extend', max_length=10, verbose_name='when seats were not given in time')),
                ('max_quantity', models.PositiveIntegerField(blank=True, null=True, verbose_name='maximum quantity per order')),
                ('visibility', models.CharField(choices=[('public', 'on sale and listed'), ('unlisted', 'on sale, not listed: only with its address'), ('inactive', 'not on sale')], default='public', max_length=10, verbose_name='visibility')),
                ('position', models.PositiveIntegerField(default=0, verbose_name='position')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('search_text', models.TextField(blank=True, editable=False)),
                ('category', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='items', to='catalog.category', verbose_name='category')),
                ('shop', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='catalog.shop')),
            ],
            options={
                'verbose_name': 'item',
                'verbose_name_plural': 'items',
                'ordering': ('position', 'name_fr', 'id'),
            },
        ),
        migrations.CreateModel(
            name='ItemQuestion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(help_text='For commands: letters, digits, dash, underscore.', max_length=40, verbose_name='short name')),
                ('position', models.PositiveIntegerField(default=0, verbose_name='position')),
                ('kind', models.CharField(choices=[('text', 'a line of text'), ('long', 'several lines of text'), ('choice', 'one of several choices'), ('tick', 'a box to tick')], default='text', max_length=10, verbose_name='kind')),
                ('scope', models.CharField(choices=[('once', 'once for the whole line'), ('unit', 'for each unit')], default='once', max_length=10, verbose_name='asked')),
                ('required', models.BooleanField(default=False, help_text='A box that is required has to be ticked.', verbose_name='required')),
                ('label_fr', models.CharField(max_length=200, verbose_name='question (French)')),
                ('label_en', models.CharField(blank=True, max_length=200, verbose_name='question (English)')),
                ('help_fr', models.CharField(blank=True, max_length=300, verbose_name='help (French)')),
                ('help_en', models.CharField(blank=True, max_length=300, verbose_name='help (English)')),
                ('choices_fr', models.TextField(blank=True, help_text='One on each line.', verbose_name='choices (French)')),
                ('choices_en', models.TextField(blank=True, help_text='One on each line, in the same order, or none at all.', verbose_name='choices (English)')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='questions', to='catalog.catalogitem')),
            ],
            options={
                'verbose_name': 'question',
                'verbose_name_plural': 'questions',
                'ordering': ('position', 'id'),
                'constraints': [models.UniqueConstraint(fields=('item', 'name'), name='question_name_once_per_item')],
            },
        ),
        migrations.CreateModel(
            name='PriceTier',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('up_to', models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1)], verbose_name='up to (units, inclusive)')),
                ('price', models.PositiveBigIntegerField(verbose_name='unit price')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tiers', to='catalog.catalogitem')),
            ],
            options={
                'verbose_name': 'price tier',
                'verbose_name_plural': 'price tiers',
                'ordering': ('up_to',),
                'constraints': [models.UniqueConstraint(fields=('item', 'up_to'), name='tier_once_per_bound')],
            },
        ),
        migrations.AddConstraint(
            model_name='category',
            constraint=models.UniqueConstraint(fields=('shop', 'slug'), name='category_slug_once_per_shop'),
        ),
        migrations.AddIndex(
            model_name='catalogitem',
            index=models.Index(fields=['shop', 'visibility', 'position', 'name_fr', 'id'], name='item_on_the_shelf'),
        ),
        migrations.AddConstraint(
            model_name='catalogitem',
            constraint=models.UniqueConstraint(fields=('shop', 'code'), name='item_code_once_per_shop'),
        ),
        migrations.AddConstraint(
            model_name='catalogitem',
            constraint=models.CheckConstraint(condition=models.Q(('max_quantity', None), ('max_quantity__gt', 0), _connector='OR'), name='item_max_quantity_positive'),
        ),
    ]
