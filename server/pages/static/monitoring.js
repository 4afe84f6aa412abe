// Draws the charts finer than the page's own drawings, which stay where this doesn't run. What is dragged over on one
// chart becomes the range of all of them, in the address.

const milliseconds = (value) => (value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${+value.toFixed(1)} ms`);
const size = (value) => (value >= 1e9 ? `${+(value / 1e9).toFixed(2)} GB` : `${+(value / 1e6).toFixed(1)} MB`);
const UNITS = {
  requests: (value) => (value >= 10 ? Math.round(value).toLocaleString("en") : String(+value.toFixed(1))),
  errors: (value) => `${+(100 * value).toFixed(2)} %`,
  latency: milliseconds,
  queue: milliseconds,
  batches: (value) => String(+value.toFixed(1)),
  cpu: (value) => String(+value.toPrecision(2)),
  memory: size,
  gpu: size,
};
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const charts = [];
const { begins, ends, times, swaps } = JSON.parse(document.querySelector(".charts").dataset.axis || "{}");

// In UTC, as everything absolute is on these pages.
function clock(seconds, { min, max }) {
  const text = new Date(seconds * 1000).toISOString();
  const day = `${+text.slice(8, 10)} ${MONTHS[+text.slice(5, 7) - 1]}`;
  const days = (max - min) / 86400;
  return days <= 1.5 ? text.slice(11, 16) : days <= 3 ? `${day} ${text.slice(11, 16)}` : day;
}

// Colours come from the keys beside the title, where the browser has resolved light and dark.
function inks(figure) {
  const faint = getComputedStyle(figure.querySelector(".keys"));
  const grid = getComputedStyle(document.querySelector("line.grid"));
  const keys = [...figure.querySelectorAll(".keys svg > *")].map((key) => getComputedStyle(key));
  return { text: faint.color, font: `12px ${faint.fontFamily}`, grid: grid.stroke, keys };
}

function stacked(series) {
  let below = null;
  return series.map(({ area, values }) => {
    const drawn = area && below ? values.map((value, at) => (value ?? 0) + (below[at] ?? 0)) : values;
    if (area) below = drawn;
    return drawn;
  });
}

// A line through one point is none, so that the point is drawn.
function alone(plot, series) {
  const values = plot.data[series];
  return values.flatMap((value, at) => (value != null && values[at - 1] == null && values[at + 1] == null ? [at] : []));
}

function line({ name, area }, ink) {
  if (area) return { label: name, stroke: ink.fill, fill: ink.fill, width: 1, points: { show: false } };
  const dash = ink.strokeDasharray === "none" ? undefined : ink.strokeDasharray.split(/[ ,]+/).map(parseFloat);
  return { label: name, stroke: ink.stroke, width: parseFloat(ink.strokeWidth), dash, points: { show: true, size: 4, filter: alone } };
}

// Where two labels have no room, the newer one has it; on the chart whose labels are links, links are what is seen.
function drawSwaps(plot, ink, hasLinks) {
  const { ctx, bbox } = plot;
  let free = Infinity;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = ink.text;
  ctx.font = `600 ${12 * devicePixelRatio}px sans-serif`;
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const { at, version } of [...swaps].sort((one, other) => other.at - one.at)) {
    const x = plot.valToPos(at, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const room = ctx.measureText(version).width + 8 * devicePixelRatio;
    const isLast = x + room > bbox.left + bbox.width;
    const begins = isLast ? x - room : x;
    if (hasLinks || begins + room > free) continue;
    ctx.textAlign = "left";
    ctx.fillText(version, begins + 4 * devicePixelRatio, bbox.top + 12 * devicePixelRatio);
    free = begins;
  }
  ctx.restore();
}

// The page's own links lie in the drawing that this one replaces.
function linkSwaps(plot, links) {
  let free = Infinity;
  for (const link of [...links].sort((one, other) => other.dataset.at - one.dataset.at)) {
    const left = plot.valToPos(+link.dataset.at, "x");
    const flag = document.createElement("a");
    flag.className = "swap-flag";
    flag.href = link.getAttribute("href");
    flag.title = flag.ariaLabel = link.getAttribute("aria-label");
    flag.textContent = link.querySelector("text").textContent;
    plot.over.append(flag);
    const begins = Math.min(left, plot.over.clientWidth - flag.offsetWidth);
    flag.style.left = `${begins}px`;
    if (left < 0 || begins + flag.offsetWidth > free) flag.remove();
    else free = begins;
  }
}

function zoom(from, to) {
  const address = new URL(location);
  address.searchParams.delete("range");
  address.searchParams.set("from", new Date(from * 1000).toISOString());
  address.searchParams.set("to", new Date(to * 1000).toISOString());
  location.assign(address);
}

function draw(figure) {
  const data = JSON.parse(figure.dataset.chart);
  const unit = UNITS[data.name];
  const ink = inks(figure);
  const old = figure.querySelector("svg.plot");
  const values = [...figure.querySelectorAll(".keys b")];
  const last = values.map((value) => value.textContent);
  const axis = { stroke: ink.text, font: ink.font, grid: { stroke: ink.grid, width: 1 }, ticks: { show: false } };
  const drawn = stacked(data.series);
  const links = old.querySelectorAll("a[data-at]");
  // What stands on others is drawn first, so that those lie over it.
  const order = data.series.map((_, at) => at).reverse();
  const place = document.createElement("div");
  place.className = "drawn";
  place.setAttribute("role", old.getAttribute("role"));
  place.setAttribute("aria-label", old.getAttribute("aria-label"));
  old.after(place);
  const plot = new uPlot({
    width: figure.clientWidth - 32,
    height: old.clientHeight || 150,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    legend: { show: false },
    padding: [8, 20, 0, 0],
    cursor: { sync: { key: "pawl" }, drag: { x: true, y: false, setScale: false }, points: { size: 5 } },
    scales: { x: { range: () => [begins, ends] }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
    axes: [{ ...axis, size: 26, values: (self, marks) => marks.map((mark) => clock(mark, self.scales.x)) }, { ...axis, size: 56, values: (_, marks) => marks.map(unit) }],
    series: [{}, ...order.map((at) => line(data.series[at], ink.keys[at]))],
    hooks: {
      ready: [(self) => linkSwaps(self, links)],
      draw: [(self) => drawSwaps(self, ink, links.length > 0)],
      setSelect: [(self) => {
        const { left, width } = self.select;
        if (width > 8) zoom(self.posToVal(left, "x"), self.posToVal(left + width, "x"));
      }],
      setCursor: [(self) => {
        data.series.forEach((series, at) => {
          const value = self.cursor.idx == null ? null : series.values[self.cursor.idx];
          values[at].textContent = self.cursor.idx == null ? last[at] : value == null ? "–" : unit(value);
        });
      }],
    },
  }, [times, ...order.map((at) => drawn[at])], place);
  old.toggleAttribute("hidden", true);
  charts.push({ figure, plot });
}

function redraw() {
  for (const { figure, plot } of charts.splice(0)) {
    plot.destroy();
    figure.querySelector(".drawn").remove();
    figure.querySelector("svg.plot").toggleAttribute("hidden", false);
  }
  for (const figure of document.querySelectorAll("figure[data-chart]")) draw(figure);
}

redraw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  requestAnimationFrame(redraw);
});
