// A campaign's form: shows the fields that its type, frequency, goal and winner need, and the times that follow from its schedule.
(() => {
  const WAIT_MS = 300;
  const FIELDS = ["type", "scheduled_at_0", "scheduled_at_1", "timezone", "local_time", "frequency", "interval", "weekdays", "day_of_month",
    "ends_at_0", "ends_at_1", "max_runs"];
  const ARRANGED_BY = [...FIELDS, "goal_kind", "winner_by"];
  const needed = {
    frequency: (of) => of.recurs,
    interval: (of) => of.recurs,
    weekdays: (of) => of.recurs && of.frequency === "weekly",
    day_of_month: (of) => of.recurs && of.frequency === "monthly",
    ends_at: (of) => of.recurs,
    max_runs: (of) => of.recurs,
    trigger_event: (of) => of.triggered,
    trigger_where: (of) => of.triggered,
    trigger_delay_minutes: (of) => of.triggered,
    trigger_again_days: (of) => of.triggered,
    scheduled_at: (of) => !of.triggered,
    timezone: (of) => !of.triggered,
    local_time: (of) => !of.triggered && (!of.recurs || ["daily", "weekly", "monthly"].includes(of.frequency)),
    goal_event: (of) => of.goal === "event",
    goal_value: (of) => of.goal === "event",
    test_share: (of) => of.winner !== "",
    winner_metric: (of) => of.winner !== "",
    winner_after_hours: (of) => of.winner !== "",
    winner_confidence: (of) => !["", "time"].includes(of.winner),
  };

  const start = () => {
    const form = document.getElementById("campaign_form");
    const shown = document.getElementById("campaign-next-runs");
    if (!form || !shown || !form.elements.type) return;
    form.querySelector(".field-max_runs")?.closest(".form-rows")?.append(shown);
    let timer = 0;
    let asked = 0;

    const arrange = () => {
      const type = form.elements.type.value;
      const of = {
        recurs: type === "recurring",
        triggered: type === "triggered",
        frequency: form.elements.frequency.value,
        goal: form.elements.goal_kind.value,
        winner: form.elements.winner_by.value,
      };
      for (const [name, isNeeded] of Object.entries(needed)) {
        const line = form.querySelector(`.field-${name}`);
        if (line) line.hidden = !isNeeded(of);
      }
      form.querySelectorAll(".form-row").forEach((row) => {
        row.hidden = [...row.children].every((line) => line.hidden);
      });
    };

    const look = async () => {
      const turn = ++asked;
      const given = new FormData(form);
      const query = new URLSearchParams();
      FIELDS.forEach((name) => given.getAll(name).forEach((value) => query.append(name, value)));
      try {
        const answer = await fetch(`${shown.dataset.url}&${query}`);
        const html = await answer.text();
        if (turn === asked && answer.ok) shown.innerHTML = html;
      } catch {
        // the next change sends a new request
      }
    };

    const changed = (event) => {
      if (!ARRANGED_BY.includes(event.target.name)) return;
      arrange();
      if (!FIELDS.includes(event.target.name)) return;
      clearTimeout(timer);
      timer = setTimeout(look, WAIT_MS);
    };

    form.addEventListener("input", changed);
    form.addEventListener("change", changed);
    django.jQuery(form.elements.timezone).on("change", changed); // select2 notifies only jQuery
    form.addEventListener("click", (event) => {
      if (event.target.closest(".field-scheduled_at, .field-ends_at")) setTimeout(() => changed({ target: form.elements.scheduled_at_0 }));
    });
    arrange();
    look();
  };

  document.addEventListener("DOMContentLoaded", start);
})();
