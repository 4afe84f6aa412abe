"""What became of what somebody asked for, as the model's page says it."""

from __future__ import annotations

from dataclasses import dataclass

from server.steering.actions.actions import Action, ActionState

_LOOKS = {
    ActionState.DONE: ("good", "check"),
    ActionState.FAILED: ("bad", "failed"),
    ActionState.RUNNING: ("info", "going"),
}


@dataclass(frozen=True)
class ActionNote:
    """Texts, none of them escaped."""

    id: str
    kind: str
    icon: str
    strong: str
    """`Rollback v1: done.`"""
    text: str
    goes_on: bool


def action_note(action: Action) -> ActionNote:
    kind, icon = _LOOKS.get(action.state, ("wait", "warn"))
    what = " ".join(word for word in (action.action.capitalize(), action.version) if word)
    step = f", {action.step.replace('_', ' ')}" if action.step else ""
    return ActionNote(
        id=action.id,
        kind=kind,
        icon=icon,
        strong=f"{what}: {action.state}{step}.",
        text=f"{action.message} It was taken back." if action.withdrawn else action.message,
        goes_on=action.state is ActionState.RUNNING,
    )
