"""All commands, as the help lists them."""

from __future__ import annotations

from collections.abc import Mapping

from pawl.group import Listed

SECTIONS: Mapping[str, Mapping[str, Listed]] = {
    "Look": {
        "ls": Listed("pawl.models.ls:ls", "List the models, and what is live."),
        "show": Listed("pawl.models.show:show", "Tell all of one model."),
        "versions": Listed("pawl.models.versions:versions", "List a model's versions, or tell all of one."),
        "deployments": Listed("pawl.models.deployments:deployments", "Tell what was live, from when until when."),
        "diff": Listed("pawl.models.diff:diff", "Compare two versions."),
        "logs": Listed("pawl.models.logs:logs", "Print what a model's workers print."),
        "events": Listed("pawl.events.events:events", "Tell what happened, and who did it."),
        "traffic": Listed("pawl.models.traffic:traffic", "Tell how often models are asked, and how fast they answer."),
        "try": Listed("pawl.models.try_:try_", "Ask a model, with an example of its own or your JSON."),
        "open": Listed("pawl.models.open:open_", "Open a page in the browser."),
    },
    "Choose what is live": {
        "pin": Listed("pawl.steering.pin:pin", "Hold a version live against everything newer."),
        "unpin": Listed("pawl.steering.unpin:unpin", "Let the newest version be live again."),
        "rollback": Listed("pawl.steering.rollback:rollback", "Reject what is live, and go back."),
        "accept": Listed("pawl.steering.accept:accept", "Take a rejected version all the same."),
        "retry": Listed("pawl.steering.retry:retry", "Try a version again that failed."),
        "load": Listed("pawl.steering.load:load", "Start an older version, so that it answers at once."),
        "unload": Listed("pawl.steering.unload:unload", "Stop an older version."),
        "sync": Listed("pawl.sync.command:sync", "Look at the repository now, and tell what becomes of a push."),
    },
    "Train": {
        "train": Listed("pawl.train.command:train", "Train a folder here and now."),
        "runs": Listed("pawl.runs.command:runs", "List training runs, or do something about one."),
    },
    "Write models": {
        "check": Listed("pawl.check.command:check", "Would a folder go live, and if not, why?"),
    },
    "Run a server": {
        "serve": Listed("pawl.serving.serve:serve", "Serve models."),
        "stop": Listed("pawl.serving.stop:stop", "End the server that runs here."),
        "keys": Listed("pawl.keys.command:keys", "List, make and revoke keys."),
        "login": Listed("pawl.access.login:login", "Keep the address and the key of a server."),
        "completion": Listed("pawl.completion:completion", "Complete commands and models in your shell."),
    },
}
