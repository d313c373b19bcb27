"""The endpoints of workflows and of passages through them."""

from __future__ import annotations

from typing import Any, ClassVar
from zoneinfo import available_timezones

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.mixins import RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ModelViewSet

from crm import masking
from crm.accounts.current_user import user_of
from crm.api import ids, rights
from crm.api.endpoint import Endpoint
from crm.api.fields import People, PublicId
from crm.api.lists import Lists
from crm.api.problems import Conflict
from customers import identity
from marketing import workflows
from marketing.api import rehearsals
from marketing.api.errors import MarketingProblems
from marketing.api.fields import ID, ByPublicId
from marketing.models import Enrollment, EnrollmentEvent, Workflow, WorkflowVersion

RUN = "marketing.run_workflow"
MOST_ENROLLED = 1_000
NUMBER = OpenApiParameter("number", OpenApiTypes.INT, OpenApiParameter.PATH)


@extend_schema_field(OpenApiTypes.OBJECT)
class DefinitionField(serializers.JSONField):
    """A definition, as docs/workflows.md describes it; users with masked data see no personal values of its rules."""

    def to_representation(self, value: Any) -> Any:
        return workflows.shown(value)


class WorkflowSerializer(serializers.ModelSerializer[Workflow]):
    id = PublicId("wfl")
    definition = DefinitionField(
        source="draft", help_text=gettext_lazy("The draft; publish makes a version of it.")
    )
    version = serializers.SerializerMethodField(
        help_text=gettext_lazy("The number of the published version.")
    )
    slug = serializers.SlugField(max_length=100, required=False)

    class Meta:
        model = Workflow
        fields: ClassVar[list[str]] = [
            *("id", "name", "slug", "description", "state", "definition", "version", "timezone"),
            *("tags", "created_at", "updated_at", "activated_at"),
        ]
        read_only_fields: ClassVar[list[str]] = ["state", "created_at", "activated_at"]

    def get_version(self, workflow: Workflow) -> int | None:
        return workflow.version.number if workflow.version else None

    def validate_timezone(self, zone: str) -> str:
        if zone not in available_timezones():
            raise serializers.ValidationError(_("Enter a time zone, such as Europe/Berlin."))
        return zone

    def validate_slug(self, slug: str) -> str:
        others = Workflow.objects.filter(slug=slug)
        if self.instance:
            others = others.exclude(pk=self.instance.pk)
        if others.exists():
            raise serializers.ValidationError(_("Another workflow has this slug."))
        return slug

    def validate_definition(self, definition: Any) -> Any:
        workflows.read(definition)
        return definition

    def create(self, validated_data: dict[str, Any]) -> Workflow:
        definition = validated_data.pop("draft")
        validated_data.setdefault("slug", workflows.free_slug(validated_data["name"]))
        return workflows.save_draft(
            Workflow(**validated_data), definition, by=user_of(self.context["request"])
        )

    def update(self, instance: Workflow, validated_data: dict[str, Any]) -> Workflow:
        definition = validated_data.pop("draft", instance.draft)
        for name, value in validated_data.items():
            setattr(instance, name, value)
        return workflows.save_draft(instance, definition, by=user_of(self.context["request"]))


class PublishWorkflowSerializer(serializers.Serializer[Any]):
    plan = serializers.DictField(
        child=serializers.CharField(max_length=100),
        default=dict,
        help_text="What becomes of the customers at a step: stay, exit, or the key of a step of the draft.",
    )
    dry_run = serializers.BooleanField(default=False, help_text="Count, and change nothing.")


class TransferSerializer(serializers.Serializer[Any]):
    go_on = People()
    stay = People()
    exit = People()
    moved = serializers.DictField(child=People())
    unmapped = serializers.DictField(child=People())


class WarningSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    message = serializers.CharField()


class PublishedSerializer(TransferSerializer):
    version = serializers.IntegerField(allow_null=True)
    warnings = WarningSerializer(many=True, help_text="Doubts that do not prevent publishing.")


class EnrollSerializer(serializers.Serializer[Any]):
    customers = serializers.ListField(
        child=serializers.CharField(max_length=320), min_length=1, max_length=MOST_ENROLLED
    )
    key = serializers.CharField(default="", max_length=200, allow_blank=True)
    context = serializers.DictField(default=dict)  # type: ignore[assignment]


class EnrolledSerializer(serializers.Serializer[Any]):
    customer = serializers.CharField()
    result = serializers.ChoiceField(choices=["enrolled", "not_enrolled", "unknown"])


class ResumeSerializer(serializers.Serializer[Any]):
    skip_hours_late = serializers.FloatField(
        default=None,
        allow_null=True,
        min_value=0,
        max_value=24 * 366,
        help_text="Passages that fell due longer ago exit; by default all go on.",
    )


class WorkflowVersionSerializer(serializers.ModelSerializer[WorkflowVersion]):
    definition = DefinitionField()

    class Meta:
        model = WorkflowVersion
        fields: ClassVar[list[str]] = ["number", "definition", "published_at"]


class DifferenceSerializer(serializers.Serializer[Any]):
    diff = serializers.ListField(child=serializers.CharField())


class EnrollmentSerializer(serializers.ModelSerializer[Enrollment]):
    id = PublicId("enr")
    workflow = serializers.SlugRelatedField[Workflow](slug_field="slug", read_only=True)
    customer = serializers.SerializerMethodField()
    version = serializers.IntegerField(source="version.number", read_only=True)
    wakes_at = serializers.DateTimeField(source="due_at", read_only=True, allow_null=True)

    class Meta:
        model = Enrollment
        fields: ClassVar[list[str]] = [
            *("id", "workflow", "customer", "entry_key", "version", "state", "step"),
            *("entered_at", "wakes_at", "waiting_for", "exit_reason", "error", "ended_at"),
            *("goal_at", "goal_value"),
        ]

    def to_representation(self, instance: Enrollment) -> Any:
        if masking.is_on():
            for name in workflows.personal_fields(instance):
                setattr(instance, name, None)
        return super().to_representation(instance)

    @extend_schema_field(OpenApiTypes.STR)
    def get_customer(self, enrollment: Enrollment) -> str:
        return ids.encode("cus", enrollment.customer_id)


class EnrollmentEventSerializer(serializers.ModelSerializer[EnrollmentEvent]):
    class Meta:
        model = EnrollmentEvent
        fields: ClassVar[list[str]] = ["kind", "step", "branch", "detail", "at"]


class EnrollmentWaySerializer(EnrollmentSerializer):
    path = serializers.SerializerMethodField(help_text=gettext_lazy("Each move, with its reason."))

    class Meta(EnrollmentSerializer.Meta):
        fields: ClassVar[list[str]] = [*EnrollmentSerializer.Meta.fields, "path"]

    @extend_schema_field(EnrollmentEventSerializer(many=True))
    def get_path(self, enrollment: Enrollment) -> Any:
        events = EnrollmentEvent.objects.filter(enrollment_id=enrollment.pk).order_by("pk")
        return EnrollmentEventSerializer(events, many=True).data


class MoveSerializer(serializers.Serializer[Any]):
    action = serializers.ChoiceField(choices=["exit", "move", "retry"])
    step = serializers.CharField(required=False, max_length=100)


class StepFigures(serializers.Serializer[Any]):
    step = serializers.CharField()
    there_now = People()
    left = serializers.DictField(child=People())


EXACT = ("goal_rate", "holdout_goal_rate", "lift", "interval", "difference", "revenue", "seconds_to_goal")  # fmt: skip
"""Figures from which the exact numbers of passages could be told."""


class GoalFiguresSerializer(serializers.Serializer[Any]):
    entered = People()
    goals = People()
    goal_rate = serializers.FloatField(allow_null=True)
    revenue = serializers.DecimalField(max_digits=20, decimal_places=2, allow_null=True)
    seconds_to_goal = serializers.FloatField(allow_null=True)

    def to_representation(self, instance: Any) -> Any:
        shown = super().to_representation(instance)
        if masking.is_on():
            shown |= {name: None for name in EXACT if name in shown}
        return shown


class VersionFiguresSerializer(GoalFiguresSerializer):
    version = serializers.IntegerField()
    completed = People()
    exits = serializers.DictField(child=People())


class BranchFiguresSerializer(GoalFiguresSerializer):
    step = serializers.CharField()
    branch = serializers.CharField()
    interval = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, help_text="Of the goal rate, 95 %."
    )
    difference = serializers.ListField(
        child=serializers.FloatField(),
        allow_null=True,
        help_text="Interval of the goal rate less that of the first branch.",
    )


class MetricsSerializer(GoalFiguresSerializer):
    under_way = People()
    completed = People()
    failed = People()
    exits = serializers.DictField(child=People())
    holdout = People()
    holdout_goal_rate = serializers.FloatField(allow_null=True)
    lift = serializers.ListField(
        child=serializers.FloatField(),
        allow_null=True,
        help_text="Interval of the goal rate less that of the holdout group, 95 %.",
    )
    steps = StepFigures(many=True)
    versions = VersionFiguresSerializer(many=True)
    experiments = BranchFiguresSerializer(many=True)


@extend_schema_view(
    retrieve=extend_schema(parameters=[ID]),
    update=extend_schema(parameters=[ID]),
    partial_update=extend_schema(parameters=[ID]),
    destroy=extend_schema(
        parameters=[ID],
        responses={
            204: None,
            409: OpenApiResponse(description="Customers have entered it; archive it instead."),
        },
    ),
)
class WorkflowViewSet(
    MarketingProblems, Endpoint, Lists, ByPublicId, rehearsals.Rehearsals, ModelViewSet[Workflow]
):
    """Workflows: steps that customers take one by one. Edits change the draft; publish makes a version of it."""

    rights = rights.of_model(
        "marketing.workflow",
        publish=RUN,
        activate=RUN,
        pause=RUN,
        resume=RUN,
        archive=RUN,
        enroll=(RUN, "customers.view_customer"),
        versions="marketing.view_workflow",
        diff="marketing.view_workflow",
        metrics="marketing.view_workflow",
        walk=("marketing.change_workflow", *workflows.REHEARSAL_RIGHTS),
        backtest=("marketing.view_workflow", *workflows.REHEARSAL_RIGHTS),
        begin_backtest=("marketing.change_workflow", *workflows.REHEARSAL_RIGHTS),
        enrollments=("marketing.view_workflow", "customers.view_customer"),
    )
    id_kind = "wfl"
    serializer_class = WorkflowSerializer
    queryset = Workflow.objects.select_related("version")
    filterset_fields = ("state",)
    search_fields = ("name", "description")
    ordering_fields = ("id", "name", "created_at")

    def perform_destroy(self, instance: Workflow) -> None:
        workflows.discard(instance)

    @extend_schema(
        parameters=[ID],
        request=PublishWorkflowSerializer,
        responses={
            200: PublishedSerializer,
            409: OpenApiResponse(
                description="The plan does not say what becomes of some customers."
            ),
        },
    )
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, id: str) -> Response:
        """Publish the draft as the next version, and take the customers under way over to it."""
        workflow = self.get_object()
        given = PublishWorkflowSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        plan = given.validated_data["plan"]
        if given.validated_data["dry_run"]:
            transfer, number = workflows.plan_transfer(workflow, plan), None
        else:
            version, transfer = workflows.publish(workflow, by=user_of(request), plan=plan)
            number = version.number
        answer = {
            **_as_dict(transfer),
            "version": number,
            "warnings": workflows.warnings_of(workflows.read(workflow.draft), workflow),
        }
        return Response(PublishedSerializer(answer).data)

    @extend_schema(parameters=[ID], request=None, responses=WorkflowSerializer)
    @action(detail=True, methods=["post"])
    def activate(self, request: Request, id: str) -> Response:
        """Let customers enter from now on."""
        return self._moved(workflows.activate(self.get_object()))

    @extend_schema(parameters=[ID], request=None, responses=WorkflowSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, id: str) -> Response:
        """Stop customers from entering and moving."""
        return self._moved(workflows.pause(self.get_object()))

    @extend_schema(parameters=[ID], request=ResumeSerializer, responses=WorkflowSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, id: str) -> Response:
        """Resume the workflow; steps that fell due meanwhile are taken now."""
        given = ResumeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        late = given.validated_data["skip_hours_late"]
        return self._moved(workflows.resume(self.get_object(), skip_hours_late=late))

    @extend_schema(parameters=[ID], request=None, responses=WorkflowSerializer)
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, id: str) -> Response:
        """End the workflow, and every passage under way."""
        return self._moved(workflows.archive(self.get_object()))

    @extend_schema(
        parameters=[ID], request=EnrollSerializer, responses={202: EnrolledSerializer(many=True)}
    )
    @action(detail=True, methods=["post"], filter_backends=[], pagination_class=None)
    def enroll(self, request: Request, id: str) -> Response:
        """Let customers enter, each named by an id or an e-mail. A repeated call with the same key changes nothing."""
        workflow = self.get_object()
        given = EnrollSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        names = given.validated_data["customers"]
        found = identity.find(names)
        entered = workflows.enroll(
            workflow,
            sorted(set(found.values())),
            key=given.validated_data["key"],
            context=given.validated_data["context"],
        )
        results = [
            {"customer": name, "result": _result(found.get(name), entered)} for name in names
        ]
        return Response(
            EnrolledSerializer(results, many=True).data, status=status.HTTP_202_ACCEPTED
        )

    @extend_schema(parameters=[ID], responses=WorkflowVersionSerializer(many=True))
    @action(detail=True, filter_backends=[], pagination_class=None)
    def versions(self, request: Request, id: str) -> Response:
        """List the published versions, newest first."""
        return Response(WorkflowVersionSerializer(self.get_object().versions.all(), many=True).data)

    @extend_schema(
        parameters=[ID, NUMBER, OpenApiParameter("other", OpenApiTypes.INT, OpenApiParameter.PATH)],
        responses=DifferenceSerializer,
    )
    @action(
        detail=True,
        url_path=r"versions/(?P<number>[0-9]{1,6})/diff/(?P<other>[0-9]{1,6})",
        filter_backends=[],
    )
    def diff(self, request: Request, id: str, number: str, other: str) -> Response:
        """Compare two versions, as lines of a unified diff."""
        versions = self.get_object().versions
        pair = [get_object_or_404(versions, number=int(each)) for each in (number, other)]
        return Response({"diff": workflows.differences(*pair)})

    @extend_schema(parameters=[ID], responses=MetricsSerializer)
    @action(detail=True, filter_backends=[])
    def metrics(self, request: Request, id: str) -> Response:
        """Return the figures of the workflow and its steps."""
        return Response(MetricsSerializer(workflows.figures_of(self.get_object())).data)

    @extend_schema(
        parameters=[
            ID,
            OpenApiParameter("state", enum=Enrollment.State.values),
            OpenApiParameter("step", description="The key of a step."),
        ],
        responses=EnrollmentSerializer(many=True),
    )
    @action(detail=True, gives_rows=True, filter_backends=[])
    def enrollments(self, request: Request, id: str) -> Response:
        """List the passages through the workflow, newest first."""
        found = self.get_object().enrollments.select_related("workflow", "version").order_by("-pk")
        for name in ("state", "step"):
            if value := request.query_params.get(name):
                found = found.filter(**{name: value})
        return self.listed(found, EnrollmentSerializer)

    def _moved(self, workflow: Workflow) -> Response:
        return Response(self.get_serializer(workflow).data)


class EnrollmentViewSet(
    MarketingProblems,
    Endpoint,
    ByPublicId,
    RetrieveModelMixin,
    GenericViewSet[Enrollment],
):
    """Passages of customers through workflows, each with its way and why."""

    rights = rights.each(retrieve=("marketing.view_workflow", "customers.view_customer"), act=RUN)
    id_kind = "enr"
    serializer_class = EnrollmentWaySerializer
    queryset = Enrollment.objects.select_related("workflow", "version")

    @extend_schema(parameters=[ID])
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(parameters=[ID], request=MoveSerializer, responses=EnrollmentWaySerializer)
    def act(self, request: Request, id: str) -> Response:
        """End a passage, move it to a step of its version, or retry a failed one."""
        passage: Enrollment = self.get_object()
        given = MoveSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        match given.validated_data["action"]:
            case "exit":
                done = workflows.end_by_hand(passage.workflow, [passage.pk])
            case "retry":
                done = workflows.retry(passage.workflow, [passage.pk])
            case _:
                done = self._put(passage, given.validated_data.get("step", ""))
        if not done:
            raise Conflict(_("The passage is not in a state in which that is possible."))
        passage.refresh_from_db()
        return Response(self.get_serializer(passage).data)

    def _put(self, passage: Enrollment, step: str) -> int:
        try:
            return workflows.put_at(passage.workflow, passage.pk, step)
        except KeyError as error:
            raise NotFound(_("There is no such step in the version.")) from error


def _result(customer: int | None, entered: list[int]) -> str:
    if customer is None:
        return "unknown"
    return "enrolled" if customer in entered else "not_enrolled"


def _as_dict(transfer: workflows.Transfer) -> dict[str, Any]:
    return {
        name: getattr(transfer, name) for name in ("go_on", "stay", "exit", "moved", "unmapped")
    }
