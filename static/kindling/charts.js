/* Charts: every <figure data-chart> holds a canvas and its data as JSON. They follow the theme, and are redrawn after htmx swaps.

   {"type": "bar" | "line" | "doughnut" | "bubble", "labels": [...], "currency", "horizontal"?: true, "half"?: true (a doughnut as a gauge), "legend"?: true (a doughnut with its parts named),
    "unfinished"?: true (the last label's time is not over),
    "series": [{"label", "values": [...], "unit": "number" | "money", "colour": name or [names], "type"?: "line", "axis"?: "right"}],
    "bubbles": [{"label", "points": [[x, y, size from 0 to 1, note]], "colour", "mark"}], "axes": [x, y] (a bubble chart, whose series are its table)} */
"use strict";

(() => {
  const charts = new Map();
  const language = document.documentElement.lang || "en";

  const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colour = (name) => variable(`--chart-${name}`);
  const colours = (names) => (Array.isArray(names) ? names.map(colour) : colour(names));

  function formatter(series, chart, compact) {
    const options = compact ? { notation: "compact", maximumFractionDigits: 1 } : {};
    if (series.unit === "money") {
      Object.assign(options, { style: "currency", currency: chart.currency });
      options.maximumFractionDigits = compact ? 1 : 2;
      options.minimumFractionDigits = compact ? 0 : 2;
    }
    const format = new Intl.NumberFormat(language, options);
    return (value) => format.format(value);
  }

  function dataset(series, chart) {
    const type = series.type || chart.type;
    const paint = colours(series.colour);
    const last = chart.unfinished ? series.values.length - 1 : -1;
    const looks = {
      bar: { backgroundColor: (bar) => (bar.dataIndex === last ? faded(paint) : paint), borderRadius: 4, borderSkipped: "start", maxBarThickness: chart.horizontal ? 18 : 34 },
      line: {
        borderColor: paint, backgroundColor: paint, borderWidth: 2, pointRadius: series.values.length > 40 ? 0 : 2,
        pointHoverRadius: 5, cubicInterpolationMode: "monotone",
        segment: { borderDash: (part) => (part.p1DataIndex === last ? [3, 4] : undefined) },
      },
      doughnut: { backgroundColor: paint, borderWidth: 2, borderColor: variable("--chart-surface"), hoverOffset: 4 },
    };
    const axis = chart.horizontal ? "xAxisID" : "yAxisID";
    const place = type === "doughnut" ? {} : { [axis]: series.axis === "right" ? "right" : chart.horizontal ? "x" : "y" };
    return { label: series.label, data: series.values, legendColour: paint, type, order: type === "line" ? 0 : 1, ...looks[type], ...place };
  }

  const bubble = ({ label, points, colour: name, mark }) => ({
    label, data: points.map(([x, y, size, note]) => ({ x, y, r: 2 + 9 * size, note })), legendColour: colour(name),
    backgroundColor: `color-mix(in srgb, ${colour(name)} 55%, transparent)`, borderColor: colour(name), borderWidth: 1, pointStyle: mark,
  });

  const shortened = (name, most) => (name.length > most ? `${name.slice(0, most - 1).trimEnd()}…` : name);

  const faded = (paint) => `color-mix(in srgb, ${paint} 45%, transparent)`;

  /* Chart.js names series in the order in which it paints them, and the fill of a bar may be a function: restore the given order and colour. */
  function legend(drawn) {
    const painted = Chart.defaults.plugins.legend.labels.generateLabels(drawn);
    return painted
      .map((item) => ({ ...item, fillStyle: drawn.data.datasets[item.datasetIndex].legendColour, lineWidth: drawn.config.type === "bubble" ? 1 : 0 }))
      .sort((one, other) => one.datasetIndex - other.datasetIndex);
  }

  /* The parts of a doughnut with their values, for the list beside it. */
  function parts(drawn) {
    const { labels, datasets: [{ data, backgroundColor }] } = drawn.data;
    const number = new Intl.NumberFormat(language);
    return labels.map((label, index) => ({
      text: `${label}  ${number.format(data[index])}`, fillStyle: backgroundColor[index], fontColor: colour("text"), lineWidth: 0, pointStyle: "circle",
      hidden: !drawn.getDataVisibility(index), index,
    }));
  }

  function scales(chart) {
    if (chart.type === "doughnut") return {};
    const text = colour("text");
    const onlyOne = (series) => chart.series.filter(({ axis }) => axis === series.axis).length === 1;
    if (chart.type === "bubble") {
      const [x, y] = chart.axes.map((name) => ({
        beginAtZero: true, border: { display: false }, grid: { color: colour("grid"), tickLength: 0 },
        title: { display: true, text: name, color: text }, ticks: { color: text, padding: 8, maxTicksLimit: 8, precision: 0 },
      }));
      /* Most buyers have few orders: a logarithmic axis keeps them apart. */
      Object.assign(y, { type: "logarithmic", beginAtZero: false, ticks: { ...y.ticks, callback: (value) => (/^[125]0*$/.test(value) ? value : null) } });
      return { x, y };
    }
    const title = (words) => ({ display: Boolean(words), text: words, color: text, font: { size: 11 } });
    const values = (series) => ({
      beginAtZero: true,
      title: title(chart.axes[1] || (onlyOne(series) ? series.label : "")),
      border: { display: false },
      grid: { color: colour("grid"), tickLength: 0 },
      ticks: {
        color: text, padding: 8, maxTicksLimit: 6, precision: series.unit === "money" ? undefined : 0,
        maxRotation: 0, autoSkipPadding: 12, callback: formatter(series, chart, true),
      },
    });
    const names = {
      title: title(chart.axes[0]),
      border: { display: false },
      grid: { display: false },
      ticks: { color: text, autoSkip: !chart.horizontal, maxRotation: 0, autoSkipPadding: 12 },
    };
    /* Names beside bars take a third of the width at most. */
    if (chart.horizontal) names.ticks.callback = function (value) { return shortened(this.getLabelForValue(value), this.chart.width / 20); };
    const left = values(chart.series[0]);
    const both = chart.horizontal ? { x: left, y: names } : { x: names, y: left };
    const onTheRight = chart.series.find((series) => series.axis === "right");
    if (onTheRight) both.right = { ...values(onTheRight), position: "right", grid: { display: false } };
    return both;
  }

  function options(chart, animated) {
    return {
      animation: animated ? { duration: 500 } : false,
      cutout: chart.half ? "76%" : "68%",
      ...(chart.half ? { circumference: 180, rotation: -90 } : {}),
      indexAxis: chart.horizontal ? "y" : "x",
      interaction: chart.type === "bubble" ? { mode: "nearest", intersect: true } : chart.type === "doughnut" ? {} : { mode: "index", axis: chart.horizontal ? "y" : "x", intersect: false },
      maintainAspectRatio: false,
      responsive: true,
      scales: scales(chart),
      plugins: {
        legend: {
          display: chart.series.length > 1 || chart.legend,
          position: chart.type === "doughnut" ? "right" : "top",
          align: chart.type === "doughnut" ? "center" : "start",
          labels: {
            color: colour("text"), boxWidth: 8, boxHeight: 8, usePointStyle: true, pointStyle: chart.type === "bubble" ? undefined : "circle", padding: 16,
            generateLabels: chart.type === "doughnut" ? parts : legend,
          },
        },
        tooltip: {
          backgroundColor: colour("tooltip"),
          titleColor: colour("tooltip-text"),
          bodyColor: colour("tooltip-text"),
          cornerRadius: 6,
          padding: 10,
          boxPadding: 6,
          usePointStyle: true,
          callbacks: {
            label: (point) => {
              if (chart.type === "bubble") return `${point.dataset.label}: ${chart.axes[0]} ${point.raw.x}, ${chart.axes[1]} ${point.raw.y}, ${point.raw.note}`;
              const series = chart.series[point.datasetIndex];
              const name = chart.type === "doughnut" ? point.label : series.label;
              return `${name}: ${formatter(series, chart, false)(point.raw)}`;
            },
          },
        },
      },
    };
  }

  function draw(figure, animated) {
    const canvas = figure.querySelector("canvas");
    const chart = JSON.parse(figure.querySelector("script").textContent);
    charts.get(canvas)?.destroy();
    Chart.defaults.font.family = "Inter, sans-serif";
    charts.set(
      canvas,
      new Chart(canvas, {
        type: chart.type,
        data: { labels: chart.labels, datasets: chart.type === "bubble" ? chart.bubbles.map(bubble) : chart.series.map((series) => dataset(series, chart)) },
        options: options(chart, animated),
      }),
    );
    figure.dataset.drawn = "true";
  }

  function drawAll(root, animated) {
    for (const [canvas, chart] of charts) {
      if (!canvas.isConnected) {
        chart.destroy();
        charts.delete(canvas);
      }
    }
    for (const figure of root.querySelectorAll("[data-chart]")) draw(figure, animated);
  }

  /* The chart as a picture, on the colour of the page, because a picture has no theme of its own. */
  document.addEventListener("click", ({ target }) => {
    const figure = target.closest?.("[data-chart-png]")?.closest("[data-chart]");
    if (!figure) return;
    const canvas = figure.querySelector("canvas");
    const picture = document.createElement("canvas");
    Object.assign(picture, { width: canvas.width, height: canvas.height });
    const brush = picture.getContext("2d");
    brush.fillStyle = variable("--chart-surface");
    brush.fillRect(0, 0, picture.width, picture.height);
    brush.drawImage(canvas, 0, 0);
    const link = Object.assign(document.createElement("a"), { href: picture.toDataURL("image/png"), download: `${figure.id}.png` });
    link.click();
  });

  /* The numbers of a chart that has no file on the server; a cell that a spreadsheet would run as a formula gets a leading '. */
  document.addEventListener("click", ({ target }) => {
    const figure = target.closest?.("[data-chart-csv]")?.closest("[data-chart]");
    if (!figure) return;
    const { labels, series } = JSON.parse(figure.querySelector("script").textContent);
    const cell = (text) => `"${String(text).replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`;
    const rows = labels.map((label, at) => [cell(label), ...series.map(({ values }) => values[at])]);
    const text = [["", ...series.map(({ label }) => label)].map(cell), ...rows].map((row) => row.join(",")).join("\r\n");
    const file = URL.createObjectURL(new Blob([`${text}\r\n`], { type: "text/csv" }));
    Object.assign(document.createElement("a"), { href: file, download: `${figure.id}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(file), 1000);
  });

  /* An open table stays open when htmx replaces the part of the page around it. */
  const opened = new Set();
  document.addEventListener("toggle", ({ target }) => {
    if (target.matches?.("[data-chart] details")) opened[target.open ? "add" : "delete"](target.closest("[data-chart]").id);
  }, true);

  function reopen(root) {
    for (const id of opened) {
      const details = root.querySelector(`#${CSS.escape(id)} details`);
      if (details) details.open = true;
    }
  }

  /* The admin's pages are hidden until Alpine has started, and a hidden canvas has no size; others have no Alpine. */
  const ready = document.documentElement.hasAttribute("x-cloak") ? "alpine:initialized" : "DOMContentLoaded";
  document.addEventListener(ready, () => {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    drawAll(document, !calm);
    let theme = document.documentElement.classList.contains("dark");
    new MutationObserver(() => {
      const dark = document.documentElement.classList.contains("dark");
      if (dark !== theme) drawAll(document, false);
      theme = dark;
    }).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
    document.addEventListener("htmx:load", ({ target }) => {
      reopen(document);
      drawAll(target.matches("[data-chart]") ? target.parentElement : target, false);
    });
  });
})();
