'use strict';

/** Blue, vermilion, green, purple, amber, sky, grey, black: colour-blind readers tell them apart. */
const COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#B8860B', '#56B4E9', '#888888', '#000000'];

/** Round values between two others. */
function ticks(low, high, most) {
  if (!(high > low)) return [low];
  const raw = (high - low) / Math.max(1, most);
  const power = Math.pow(10, Math.floor(Math.log10(raw)));
  const step = [1, 2, 5, 10].map(f => f * power).find(s => s >= raw * 0.999);
  const values = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) values.push(i * step);
  return values;
}

/** A number with as many digits as tell its neighbours apart. */
function short(value, range) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) {
    const apart = range > 0 ? Math.floor(Math.log10(size)) - Math.floor(Math.log10(range)) + 1 : 1;
    return value.toExponential(Math.max(1, Math.min(6, apart)));
  }
  const digits = range > 0 ? Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(range)))) : 3;
  return String(Number(value.toFixed(digits)));
}

function element(parent, name, text, attributes) {
  const node = document.createElement(name);
  if (text !== undefined && text !== null) node.textContent = text;
  Object.entries(attributes || {}).forEach(([key, value]) => node.setAttribute(key, value));
  parent.append(node);
  return node;
}

function shape(parent, name, attributes, text) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', name);
  Object.entries(attributes).forEach(([key, value]) => node.setAttribute(key, value));
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

/**
 * Draws lines, or bars, with axes.
 *
 * @param chart x, y: names of the axes with units; series: [{name, points: [[x, y], ...], bars, dashed}];
 *     xRange, yRange: ends of the axes, otherwise those of the points; whole: x counts something
 */
function draw(parent, chart) {
  parent.replaceChildren();
  const width = Math.max(260, parent.clientWidth);
  const height = Math.round(Math.min(380, Math.max(240, width * 0.6)));
  const left = 58, right = 14, top = 10, bottom = 44;
  const finite = chart.series.flatMap(one => one.points).filter(p => Number.isFinite(p[1]));
  const range = (given, index, zero) => {
    if (given) return given;
    const values = finite.map(p => p[index]);
    let low = values.reduce((a, b) => Math.min(a, b), Infinity);
    let high = values.reduce((a, b) => Math.max(a, b), -Infinity);
    if (!values.length) return [0, 1];
    if (zero && low > 0 && low < high * 0.5) low = 0;
    if (low === high) { const pad = Math.abs(low) * 0.1 || 1; low = zero && low >= 0 ? 0 : low - pad; high += pad; }
    return [low, high];
  };
  const [x0, x1] = range(chart.xRange, 0, false);
  const [y0, y1] = range(chart.yRange, 1, true);
  const x = value => left + (value - x0) / (x1 - x0) * (width - left - right);
  const y = value => height - bottom - (value - y0) / (y1 - y0) * (height - top - bottom);
  const svg = shape(parent, 'svg', {viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'font-size': 12,
    'font-family': 'sans-serif', 'aria-label': `${chart.y} over ${chart.x}`});
  ticks(y0, y1, 5).forEach(t => {
    shape(svg, 'line', {x1: left, x2: width - right, y1: y(t), y2: y(t), stroke: '#e4e4e4'});
    shape(svg, 'text', {x: left - 6, y: y(t) + 4, 'text-anchor': 'end'}, short(t, y1 - y0));
  });
  ticks(x0, x1, width / 90).filter(t => !chart.whole || Number.isInteger(t)).forEach(t => {
    shape(svg, 'line', {x1: x(t), x2: x(t), y1: top, y2: height - bottom, stroke: '#f0f0f0'});
    shape(svg, 'text', {x: x(t), y: height - bottom + 16, 'text-anchor': 'middle'}, short(t, x1 - x0));
  });
  shape(svg, 'path', {d: `M${left} ${top}V${height - bottom}H${width - right}`, fill: 'none', stroke: '#666'});
  shape(svg, 'text', {x: (left + width - right) / 2, y: height - 8, 'text-anchor': 'middle'}, chart.x);
  shape(svg, 'text', {transform: `translate(13 ${(top + height - bottom) / 2}) rotate(-90)`, 'text-anchor': 'middle'}, chart.y);
  chart.series.forEach((one, index) => {
    const colour = one.colour || COLOURS[index % COLOURS.length];
    if (one.bars) {
      one.points.filter(p => Number.isFinite(p[1])).forEach(p => {
        const bar = shape(svg, 'rect', {x: x(p[0] - one.bars / 2), width: Math.max(1, x(p[0] + one.bars / 2) - x(p[0] - one.bars / 2)),
          y: y(Math.max(p[1], y0)), height: Math.abs(y(y0) - y(Math.max(p[1], y0))), fill: colour, 'fill-opacity': 0.75, stroke: '#fff'});
        shape(bar, 'title', {}, p[2] || `${short(p[0], x1 - x0)}: ${short(p[1], y1 - y0)}`);
      });
      return;
    }
    let path = '';
    let pen = 'M';
    one.points.forEach(p => {
      if (!Number.isFinite(p[1])) { pen = 'M'; return; }
      path += `${pen}${x(p[0]).toFixed(1)} ${y(p[1]).toFixed(1)}`;
      pen = 'L';
    });
    shape(svg, 'path', {d: path, fill: 'none', stroke: colour, 'stroke-width': 2, 'stroke-dasharray': one.dashed ? '6 4' : 'none'});
    if (one.points.length <= 60 && !one.dashed) {
      one.points.filter(p => Number.isFinite(p[1])).forEach(p => {
        const dot = shape(svg, 'circle', {cx: x(p[0]), cy: y(p[1]), r: 3, fill: colour});
        shape(dot, 'title', {}, p[2] || `${short(p[0], x1 - x0)}: ${short(p[1], (y1 - y0) / 100)}`);
      });
    }
  });
  if (chart.series.length > 1 || chart.legend) {
    const legend = element(parent, 'ul', null, {class: 'legend'});
    chart.series.forEach((one, index) => {
      const entry = element(legend, 'li');
      element(entry, 'span', null, {class: 'swatch'}).style.background = one.colour || COLOURS[index % COLOURS.length];
      entry.append(one.name);
    });
  }
}

/** Draws now and whenever the page gets another width. */
function drawn(parent, chart) {
  draw(parent, chart);
  let width = parent.clientWidth;
  new ResizeObserver(() => {
    if (parent.clientWidth !== width) {
      width = parent.clientWidth;
      draw(parent, chart);
    }
  }).observe(parent);
}
