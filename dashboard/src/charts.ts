// Draws a chart from the table that stands beneath it: the numbers are in the page once, and can be read without the picture.
import uPlot from "uplot";

interface Row {
  start: number; // Unix seconds
  words: string;
  incomplete: boolean;
  values: (number | null)[];
}
interface Column {
  words: string;
  hue: string | undefined;
  before: boolean;
}

const HEIGHT = 260;
const drawn = new Map<HTMLElement, () => void>();

function read(table: HTMLTableElement): { rows: Row[]; columns: Column[] } {
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])].slice(1);
  const columns = heads.map((cell) => ({ words: cell.textContent?.trim() ?? "", hue: cell.dataset.hue, before: "before" in cell.dataset }));
  const rows = [...(table.tBodies[0]?.rows ?? [])].flatMap((row) => {
    const [head, ...cells] = [...row.cells];
    if (!head?.dataset.start) return [];
    const values = cells.map((cell) => (cell.dataset.value !== undefined ? Number(cell.dataset.value) : Number((cell.textContent ?? "").replace(/[^0-9.-]/g, "") || NaN)));
    return [{ start: Number(head.dataset.start), words: head.textContent?.trim() ?? "", incomplete: "incomplete" in row.dataset, values: values.map((value) => (Number.isNaN(value) ? null : value)) }];
  });
  return { rows, columns };
}

function hatch(context: CanvasRenderingContext2D, colour: string): CanvasPattern | string {
  const size = 8;
  const tile = Object.assign(document.createElement("canvas"), { width: size, height: size });
  const pen = tile.getContext("2d");
  if (!pen) return colour;
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift, size);
    pen.lineTo(shift + size, 0);
  }
  pen.stroke();
  return context.createPattern(tile, "repeat") ?? colour;
}

function draw(figure: HTMLElement): void {
  const table = figure.querySelector("table");
  const plot = figure.querySelector<HTMLElement>(".plot");
  if (!table || !plot) return;
  const { rows, columns } = read(table);
  plot.replaceChildren();
  if (!rows.length) return;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const bars = figure.dataset.chart === "bars";
  const ink = columns.map((column) => (column.before ? colour("--n5") : colour(column.hue === undefined ? "--accent" : `--h${column.hue}`)));
  const places = rows.map((_, place) => place);
  const last = rows.findIndex((row) => row.incomplete);
  const tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
  const now = columns.filter((column) => !column.before).length;

  // A line goes on dashed into the period that still runs: a series of its own, with the last whole period and that one.
  const runs = !bars && last > 0 && last === rows.length - 1 ? columns.flatMap((column, at) => (column.before ? [] : [at])) : [];
  const series: uPlot.Series[] = columns.map((column, place) => ({
    label: column.words,
    stroke: ink[place] ?? "",
    width: column.before ? 1.5 : bars ? 0 : 2,
    ...(column.before ? { dash: [4, 4] } : {}),
    points: { show: !bars && rows.length < 2 },
    ...(bars && !column.before
      ? {
          fill: (plotted: uPlot) => plotted.ctx && (ink[place] ?? ""),
          paths: uPlot.paths.bars!({
            size: [now > 1 ? 0.8 / now : 0.75, 60],
            align: now > 1 ? (place < now / 2 ? -1 : 1) : 0,
            disp: {
              fill: {
                unit: 3,
                values: (plotted: uPlot) => rows.map((row) => (row.incomplete ? hatch(plotted.ctx, ink[place] ?? "") : (ink[place] ?? ""))) as string[],
              },
            },
          }),
        }
      : {}),
  }));
  const dashed = runs.map((at): uPlot.Series => ({ stroke: ink[at] ?? "", width: 2, dash: [3, 5], points: { show: false } }));
  const options: uPlot.Options = {
    width: Math.max(plot.clientWidth, 200),
    height: HEIGHT,
    padding: [12, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: !bars } },
    scales: {
      x: { time: false, range: () => [-0.5, rows.length - 0.5] },
      y: { range: (_, __, most) => [0, Math.max(1, most || 0) * 1.08] },
    },
    axes: [
      {
        stroke: colour("--n6"),
        font: "12px system-ui, sans-serif",
        grid: { show: false },
        ticks: { show: false },
        splits: (plotted) => {
          const every = Math.max(1, Math.ceil(rows.length / Math.max(2, Math.floor(plotted.width / 96))));
          return places.filter((place) => place % every === 0);
        },
        values: (_, splits) => splits.map((place) => rows[place]?.words ?? ""),
      },
      {
        stroke: colour("--n6"),
        font: "12px system-ui, sans-serif",
        grid: { stroke: colour("--n3"), width: 1 },
        ticks: { show: false },
        size: 56,
        incrs: bars ? [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 1e8] : [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1e3, 1e4, 1e5, 1e6, 1e7],
        values: (_, splits) => splits.map((value) => value.toLocaleString("en")),
      },
    ],
    series: [{}, ...series, ...dashed],
    hooks: {
      setCursor: [
        (plotted) => {
          const place = plotted.cursor.idx;
          const row = place === null || place === undefined ? undefined : rows[place];
          tip.hidden = !row || (plotted.cursor.left ?? -1) < 0;
          if (!row || tip.hidden) return;
          const lines = columns.map((column, at) => {
            const line = document.createElement("div");
            const value = document.createElement("b");
            value.textContent = row.values[at]?.toLocaleString("en") ?? "–";
            const dot = Object.assign(document.createElement("i"), { className: `dot hue-${column.hue ?? "none"}` });
            if (!column.before) line.append(dot, " ");
            line.append(`${column.words}: `, value);
            return line;
          });
          const head = document.createElement("div");
          head.textContent = row.words + (row.incomplete ? " (still running)" : "");
          tip.replaceChildren(head, ...lines);
          const left = plotted.cursor.left ?? 0;
          tip.style.top = "8px";
          tip.style.left = left < plotted.over.clientWidth / 2 ? `${left + 12}px` : "auto";
          tip.style.right = left < plotted.over.clientWidth / 2 ? "auto" : `${plotted.over.clientWidth - left + 12}px`;
        },
      ],
    },
  };
  const whole = columns.map((_, at) => rows.map((row, place) => (runs.includes(at) && place === last ? null : (row.values[at] ?? null))));
  const running = runs.map((at) => rows.map((row, place) => (place >= last - 1 ? (row.values[at] ?? null) : null)));
  const data = [places, ...whole, ...running] as uPlot.AlignedData;
  const chart = new uPlot(options, data, plot);
  chart.over.append(tip);
  if (last >= 0) figure.dataset.incomplete = "";
}

export function charts(root: ParentNode): void {
  const found = [...root.querySelectorAll<HTMLElement>("figure[data-chart]")];
  if (root instanceof HTMLElement && root.matches("figure[data-chart]")) found.push(root);
  for (const figure of found) {
    if (drawn.has(figure)) continue;
    const again = () => (figure.isConnected ? draw(figure) : drawn.delete(figure));
    drawn.set(figure, again);
    draw(figure);
  }
  if (root !== document) return;
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) drawn.forEach((again) => again());
    width = innerWidth;
  });
  document.addEventListener("theme", () => drawn.forEach((again) => again()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach((again) => again()));
}
