from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("procedures", "0009_message_consents"), ("procedures", "0009_patient_reports")]
    operations = []
