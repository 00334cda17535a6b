// @ts-check
// The bridge to uPlot. Rust gives columns of numbers; colours come from the design tokens, so that a
// chart follows the theme.

/** @param {string} name */
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** @param {number} value */
const count = (value) =>
  value >= 1e6 ? `${(value / 1e6).toFixed(1)}M` : value >= 1e4 ? `${Math.round(value / 1e3)}k` : value >= 1e3 ? `${(value / 1e3).toFixed(1)}k` : `${Math.round(value)}`;

/** @param {number} ms */
const duration = (ms) => (ms >= 1000 ? `${+(ms / 1000).toPrecision(2)} s` : ms >= 1 ? `${+ms.toPrecision(2)} ms` : `${Math.round(ms * 1000)} µs`);

/** A translucent form of a token's colour, for the area under a line. */
const soften = (color) => `color-mix(in srgb, ${color} 16%, transparent)`;

/** A logarithmic axis has a line for each decade, not for each digit. */
const decades = (_, splits) => splits.map((value) => (value > 0 && Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6) ? value : null));

class Chart {
  constructor(host, spec) {
    this.host = host;
    this.spec = spec;
    this.data = [[], ...spec.lines.map(() => [])];
    this.make();
    // A chart has a size in pixels, so it is told when its place changes.
    this.observer = new ResizeObserver(() => this.plot.setSize(this.size()));
    this.observer.observe(host);
  }

  size() {
    // The legend is a line below the plot.
    return { width: Math.max(this.host.clientWidth - 8, 120), height: Math.max(this.host.clientHeight - 24, 90) };
  }

  make() {
    const { unit, span, lines } = this.spec;
    const milliseconds = unit === 'ms';
    const text = token('--text-muted');
    const grid = { stroke: token('--border'), width: 1 };
    const axis = { stroke: text, grid, ticks: { show: false }, font: `11px ${token('--font-mono') || 'monospace'}` };
    this.plot = new window.uPlot(
      {
        ...this.size(),
        cursor: { points: { size: 6 }, drag: { x: false, y: false } },
        legend: { live: true },
        scales: {
          x: { time: true, range: (_, min, max) => (max === null ? [0, span] : [max - span, max]) },
          y: milliseconds
            ? { distr: 3, range: (_, min, max) => [0.1, Math.max(10, 10 ** Math.ceil(Math.log10(Math.max(max ?? 1, 1))))] }
            : { range: (_, min, max) => [0, Math.max(10, (max ?? 0) * 1.15)] },
        },
        axes: [
          { ...axis, space: 70 },
          { ...axis, size: 58, ...(milliseconds ? { filter: decades, grid: { ...grid, filter: decades } } : {}), values: (_, splits) => splits.map((value) => (value === null ? '' : milliseconds ? duration(value) : count(value))) },
        ],
        series: [
          { label: 'time' },
          ...lines.map((line) => {
            const color = token(line.color);
            return {
              label: line.label,
              stroke: color,
              width: line.width,
              fill: line.fill ? soften(color) : undefined,
              points: { show: false },
              spanGaps: true,
              value: (_, value) => (value === null || value === undefined ? '–' : milliseconds ? duration(value) : count(value)),
            };
          }),
        ],
      },
      this.data,
      this.host,
    );
  }

  /** @param {Float64Array} flat columns one after the other, time first */
  set_data(flat) {
    const columns = this.spec.lines.length + 1;
    const rows = Math.floor(flat.length / columns);
    this.data = Array.from({ length: columns }, (_, column) =>
      Array.from(flat.subarray(column * rows, (column + 1) * rows), (value) => (Number.isNaN(value) ? null : value)),
    );
    this.plot.setData(this.data);
    this.show_newest();
  }

  /** The legend shows the newest values, or those under the pointer while there is one. */
  show_newest() {
    const pointed = (this.plot.cursor.left ?? -1) >= 0;
    const newest = this.data[0].length - 1;
    if (!pointed && newest >= 0) this.plot.setLegend({ idx: newest });
  }

  retheme() {
    this.plot.destroy();
    this.make();
  }

  destroy() {
    this.observer.disconnect();
    this.plot.destroy();
  }
}

/** What stands in for a chart that cannot be drawn: the numbers elsewhere must go on. */
class NoChart {
  constructor(host, error) {
    console.error(error);
    host.textContent = 'This chart cannot be drawn here; the numbers above are live.';
  }
  set_data() {}
  retheme() {}
  destroy() {}
}

/** @param {HTMLElement} host @param {string} spec */
export function create_chart(host, spec) {
  try {
    return new Chart(host, JSON.parse(spec));
  } catch (error) {
    return new NoChart(host, error);
  }
}

/** @param {HTMLCanvasElement} canvas @param {Float64Array} values @param {string} color */
export function draw_sparkline(canvas, values, color) {
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext('2d');
  if (!context || values.length < 2) return;
  context.scale(scale, scale);
  const top = Math.max(...values, 1);
  const x = (index) => (index / (values.length - 1)) * width;
  const y = (value) => height - 1.5 - (value / top) * (height - 3);
  context.beginPath();
  values.forEach((value, index) => (index ? context.lineTo(x(index), y(value)) : context.moveTo(x(index), y(value))));
  context.strokeStyle = token(color);
  context.lineWidth = 1.5;
  context.stroke();
  context.lineTo(width, height);
  context.lineTo(0, height);
  context.closePath();
  context.globalAlpha = 0.14;
  context.fillStyle = token(color);
  context.fill();
}
