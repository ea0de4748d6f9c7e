"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const charts = read("charts"), names = read("names");
  const root = document.documentElement, scope = document.getElementById("scope");
  const boxes = [...document.querySelectorAll(".agent input")];
  const dashes = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
  const symbols = ["circle", "square", "triangle-up", "diamond", "pentagon", "hexagram", "triangle-down"];
  const COLOURS = 7, PRINTED_WIDTH = 680;
  let printing = false;

  const css = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const place = (agent) => names.indexOf(agent);
  const colourName = (agent) => (place(agent) < 0 ? "--quiet" : `--a${place(agent) % COLOURS}`);
  const faded = (colour, share) => {
    const value = parseInt(colour.slice(1), 16);
    return `rgba(${value >> 16},${(value >> 8) & 255},${value & 255},${share})`;
  };
  const chosen = () => new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  const isPhone = () => !printing && window.innerWidth < 640;

  function painted(trace) {
    const colour = css(colourName(trace.agent)), k = Math.max(0, place(trace.agent));
    const made = { ...trace, legendgroup: trace.agent || trace.name };
    if (trace.part === "line") {
      made.line = { ...trace.line, color: colour, width: 2.2, dash: dashes[Math.floor(k / COLOURS + k) % dashes.length] };
    } else if (trace.part === "band") {
      Object.assign(made, { fillcolor: faded(colour, 0.13), line: { width: 0, color: faded(colour, 0) } });
    } else if (trace.part === "bar") {
      made.marker = { color: colour };
    } else if (trace.part === "box") {
      Object.assign(made, { fillcolor: faded(colour, 0.18), line: { color: colour, width: 1.6 } });
    } else {
      const big = trace.part !== "points";
      const own = place(trace.agent) >= 0 && trace.part !== "signs" && trace.marker?.symbol === "circle";
      const symbol = own ? symbols[k % symbols.length] : trace.marker?.symbol ?? "circle";
      const rim = trace.part === "signs" ? { color: css("--ink"), width: 1.5 } : { width: 0 };
      made.marker = { color: colour, size: big ? 11 : 7, symbol, opacity: big ? 1 : 0.7, line: rim };
      if (trace.error_x) made.error_x = { ...trace.error_x, color: colour, thickness: 2, width: 6 };
    }
    return made;
  }

  function evenTicks(least, most, count, smallest) {
    const rough = Math.max((most - least) / count, 1e-9 * most), unit = 10 ** Math.floor(Math.log10(rough));
    const step = Math.max([1, 2, 5, 10].find((s) => s * unit >= rough) * unit, smallest), made = [];
    for (let v = Math.ceil(least / step) * step; v <= most * (1 + 1e-9); v += step) made.push(v);
    return made;
  }

  // Plotly labels 0.02 as a small 2; here every label can be read by itself.
  function logTicks(traces, side, whole) {
    const ends = side === "x" ? ["x", "lowerfence", "upperfence"] : ["y"];
    const bars = (t) => (side === "x" && t.error_x ? t.x.flatMap((v, i) => [v - t.error_x.arrayminus[i], v + t.error_x.array[i]]) : []);
    const values = traces.flatMap((t) => [...ends.flatMap((end) => t[end] ?? []), ...bars(t)]).filter((v) => v > 0);
    const least = Math.min(...values), most = Math.max(...values);
    if (most < 6 * least) return evenTicks(least, most, isPhone() ? 3 : 6, whole ? 1 : 0);
    const low = Math.floor(Math.log10(least)), high = Math.ceil(Math.log10(most));
    const steps = high - low > (isPhone() ? 2 : 3) ? [1] : isPhone() ? [1, 3] : [1, 2, 5];
    const made = [];
    for (let k = low; k <= high; k += 1) for (const step of steps) made.push(Number(`${step}e${k}`));
    return made;
  }

  function axis(spec, side, traces) {
    const made = {
      title: { text: spec.label, standoff: 8 }, gridcolor: css("--line"), linecolor: css("--line"), zeroline: false,
      automargin: true, type: spec.log ? "log" : "linear", tickfont: { size: 12 },
    };
    if (spec.log && traces.length) {
      const tickvals = logTicks(traces, side, spec.whole);
      const ticktext = tickvals.map((v) => v.toLocaleString("en", { maximumSignificantDigits: 3 }));
      Object.assign(made, { tickmode: "array", tickvals, ticktext });
    }
    if (spec.limits) made.range = spec.limits.map((v, i) => (spec.log ? Math.log10(v) : v + (i ? 0.02 : -0.02)));
    if (spec.ticks.length) {
      const text = spec.ticks.map((t) => t + " ");
      Object.assign(made, { tickmode: "array", tickvals: spec.ticks.map((_, i) => i), ticktext: text });
      made.range = [-0.6, spec.ticks.length - 0.4];
      made.showgrid = true;
    }
    return made;
  }

  function height(chart) {
    if (chart.y.ticks.length) return Math.max(210, 130 + chart.y.ticks.length * (chart.y.ticks.length > 12 ? 22 : 38));
    return isPhone() ? 340 : 400;
  }

  function layout(chart, traces) {
    const shown = new Set(traces.filter((t) => t.showlegend !== false).map((t) => t.name));
    return {
      height: height(chart), width: printing ? PRINTED_WIDTH : undefined, autosize: !printing,
      margin: { l: 56, r: 12, t: 26, b: 56 }, paper_bgcolor: css("--paper"), plot_bgcolor: css("--paper"),
      font: { color: css("--ink"), size: 13, family: getComputedStyle(document.body).fontFamily },
      hovermode: chart.traces.some((t) => t.part === "line") ? "x unified" : "closest",
      hoverlabel: { bgcolor: css("--raised"), font: { color: css("--ink") } },
      showlegend: shown.size > 1 && !chart.y.ticks.length, boxmode: "overlay", bargap: 0.3,
      legend: { orientation: "h", yanchor: "bottom", y: 1.01, x: 0, bgcolor: "rgba(0,0,0,0)", font: { size: isPhone() ? 11 : 13 } },
      xaxis: axis(chart.x, "x", chart.traces), yaxis: axis(chart.y, "y", chart.traces),
    };
  }

  function figure(plots, key, chart) {
    const id = `plot-${key}-${chart.key}`;
    let found = document.getElementById(id);
    if (!found) {
      const frame = document.createElement("div");
      frame.className = "figure";
      frame.append(...["h3", "div", "p"].map((tag) => document.createElement(tag)));
      const [head, plot, note] = frame.children;
      Object.assign(plot, { id, className: "plot" });
      note.className = "note";
      plots.append(frame);
      found = plot;
    }
    found.previousSibling.textContent = chart.title;
    found.nextSibling.textContent = chart.note;
    found.setAttribute("role", "img");
    found.setAttribute("aria-label", `${chart.title}. ${chart.note}`);
    return found;
  }

  function drawSection(key, agents) {
    const plots = document.querySelector(`#${key} .plots`), wanted = charts[key][scope.value] ?? [];
    const kept = new Set(wanted.map((chart) => `plot-${key}-${chart.key}`));
    for (const plot of [...plots.querySelectorAll(".plot")]) {
      if (!kept.has(plot.id)) { Plotly.purge(plot); plot.parentElement.remove(); }
    }
    return Promise.all(wanted.map((chart) => {
      const traces = chart.traces.filter((t) => !t.agent || agents.has(t.agent)).map(painted);
      const config = { responsive: true, displaylogo: false, modeBarButtons: [["toImage", "resetScale2d"]] };
      if (isPhone()) config.displayModeBar = false;
      return Plotly.react(figure(plots, key, chart), traces, layout(chart, traces), config);
    }));
  }

  function draw() {
    const agents = chosen();
    for (const view of document.querySelectorAll(".view")) view.hidden = view.dataset.scope !== scope.value;
    for (const row of document.querySelectorAll("tr[data-agent]")) row.hidden = !agents.has(row.dataset.agent);
    for (const box of boxes) box.nextSibling.style.setProperty("--c", `var(${colourName(box.value)})`);
    root.dataset.drawn = "no";
    return Promise.all(Object.keys(charts).map((key) => drawSection(key, agents)))
      .then(() => { root.dataset.drawn = "yes"; });
  }

  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => { root.dataset.theme = dark.matches ? "dark" : "light"; };
  let before = "light";
  follow();
  dark.addEventListener("change", () => { follow(); draw(); });
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    draw();
  });
  window.addEventListener("beforeprint", () => { before = root.dataset.theme; root.dataset.theme = "light"; printing = true; draw(); });
  window.addEventListener("afterprint", () => { root.dataset.theme = before; printing = false; draw(); });
  scope.addEventListener("change", draw);
  for (const box of boxes) box.addEventListener("change", draw);
  draw();
})();
