"""Whether this process can serve: asked by load balancers, tells nothing else."""

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when database and cache answer, else 503 with the part that does not."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "database away"}, status=503)
    try:
        cache.get("health")
    except RedisError:
        return JsonResponse({"status": "cache away"}, status=503)
    return JsonResponse({"status": "ok"})
