"""Times by the clock, as cron names them: minute, hour, day, month, weekday; in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
"""By cron's numbers; APScheduler's begin with Monday."""


class NotCron(ValueError):
    """The text names no times."""


def next_time(expression: str, after: datetime) -> datetime:
    """The first time after `after`. Raises NotCron."""
    times = (trigger.get_next_fire_time(after, after) for trigger in _triggers(expression))
    found: list[datetime] = [time for time in times if time is not None]
    if not found:
        raise NotCron("it never comes")
    return min(found)


def check(expression: str) -> None:
    """Raises NotCron where it can't be read or never comes."""
    next_time(expression, datetime.now(UTC))


def _triggers(expression: str) -> list[CronTrigger]:
    """Two where both day and weekday are restricted: cron takes a day that either names (crontab(5))."""
    from apscheduler.triggers.cron import CronTrigger  # slow to import, and few models are trained by the clock

    fields = expression.split()
    if len(fields) != 5:
        raise NotCron(f"it has {len(fields)} fields, not five")
    minute, hour, day, month, weekday = fields
    weekday = _weekdays(weekday)
    days = [(day, weekday)] if "*" in (day, weekday) else [(day, "*"), ("*", weekday)]
    try:
        return [CronTrigger.from_crontab(f"{minute} {hour} {day} {month} {weekday}", UTC) for day, weekday in days]
    except ValueError as error:
        raise NotCron(str(error)) from error


def _weekdays(field: str) -> str:
    """Names instead of numbers."""
    if field == "*":
        return "*"
    return ",".join(name for part in field.lower().split(",") for name in _names(part))


def _names(part: str) -> list[str]:
    matched = re.fullmatch(r"(\*|([0-7]|[a-z]{3})(?:-([0-7]|[a-z]{3}))?)(?:/([1-7]))?", part)
    if matched is None:
        raise NotCron(f"{part!r} is not a weekday")
    every, first, last, step = matched.groups()
    begin = 0 if every == "*" else _number(first)
    end = 6 if every == "*" or (step and not last) else _number(last or first)
    end += 7 if end < begin else 0
    return [_DAYS[number % 7] for number in range(begin, end + 1, int(step or 1))]


def _number(text: str) -> int:
    if text.isdigit():
        return int(text)
    if text not in _DAYS:
        raise NotCron(f"{text!r} is not a weekday")
    return _DAYS.index(text)
