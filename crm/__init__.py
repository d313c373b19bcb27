from crm.celery import app as celery_app
