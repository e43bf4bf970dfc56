// The figures for people: a table, and a chart that is readable on light and on dark pages.

/** Where in a hundred of sorted numbers; between two of them, in proportion. */
function quantile(numbers, share) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}

/** Median, quartiles, and the ratio to the first row, which is ours. */
export function summarise(panel) {
  const rows = panel.rows.map(({ name, numbers, cannot }) => {
    if (cannot || numbers.length === 0) return { name, cannot: cannot ?? "no figure" };
    return { name, median: quantile(numbers, 0.5), quartiles: [quantile(numbers, 0.25), quantile(numbers, 0.75)], runs: numbers.length };
  });
  const ours = rows[0]?.median;
  for (const row of rows) if (row.median !== undefined) row.ratio = ours > 0 && row.median >= 0 ? row.median / ours : null;
  return { ...panel, rows };
}

const figure = (number, unit) => (unit === "bytes" ? Math.round(number).toLocaleString("en") : number.toLocaleString("en", Math.abs(number) < 100 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 }));
const times = (ratio) => (ratio === null ? "–" : `${ratio.toLocaleString("en", ratio < 10 ? { minimumFractionDigits: 2, maximumFractionDigits: 2 } : { maximumFractionDigits: 0 })}×`);

export function table(panels) {
  const lines = [];
  for (const { title, unit, cannot, rows } of panels) {
    lines.push("", `${title}${unit ? ` (${unit})` : ""}`);
    if (cannot) lines.push(`  cannot run here: ${cannot}`);
    const width = Math.max(34, ...rows.map(({ name }) => name.length));
    if (rows.length > 0) lines.push(`  ${"".padEnd(width)} ${"to ours".padStart(8)} ${"median".padStart(12)}${rows.some(({ runs }) => runs > 1) ? "   quartiles" : ""}`);
    for (const { name, cannot, median, quartiles, ratio, runs } of rows) {
      if (cannot) lines.push(`  ${name.padEnd(width)}  cannot run here: ${cannot}`);
      else lines.push(`  ${name.padEnd(width)} ${times(ratio).padStart(8)} ${figure(median, unit).padStart(12)}${runs > 1 ? `   ${quartiles.map((number) => figure(number, unit)).join(" to ")}` : ""}`);
    }
  }
  return lines.join("\n");
}

/** What the panels' `headlines` ask for, as far as it was measured: ours as a multiple of the other, or ours alone. */
export function headlines(panels) {
  const measured = (rows, wanted) => {
    const { name, median, quartiles, runs } = rows.find(({ name }) => name === wanted) ?? {};
    return median === undefined ? null : { name, median, quartiles, runs };
  };
  return panels.flatMap(({ title, unit, headlines = [], rows }) =>
    headlines.flatMap(([ours, other]) => {
      const [mine, theirs] = [measured(rows, ours), measured(rows, other)];
      if (!mine || (other && !theirs)) return [];
      return [{ what: title, unit, ours: mine, other: theirs, times: theirs && theirs.median > 0 ? mine.median / theirs.median : null }];
    }),
  );
}

export function headlineTable(headlines) {
  const lines = ["", "Headlines: ours as a multiple of the other, less is better; medians (quartiles)"];
  let above;
  for (const { what, unit, ours, other, times: ratio } of headlines) {
    if (what !== above) lines.push(`  ${what} (${unit})`);
    above = what;
    const spread = ({ name, median, quartiles, runs }) => `${name} ${figure(median, unit)}${runs > 1 ? ` (${quartiles.map((number) => figure(number, unit)).join(" to ")})` : ""}`;
    lines.push(`  ${(other ? times(ratio) : "").padStart(8)}  ${spread(ours)}${other ? ` to ${spread(other)}` : ""}`);
  }
  return lines.join("\n");
}

const escaped = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
const [WIDTH, NAMES, BARS, LINE] = [800, 252, 370, 19];

/** A bar for each row, with its quartiles; ours stand out. As wide as a README is, and with colours of its own for either kind of page. */
export function chart(panels, about) {
  const parts = about.map((text, line) => `<text x="16" y="${24 + line * 17}" class="quiet">${escaped(text)}</text>`);
  let y = 24 + about.length * 17 + 14;
  for (const { title, unit, rows } of panels.filter(({ chart, rows }) => chart && rows.length > 0)) {
    parts.push(`<text x="16" y="${y}" class="title">${escaped(title)}</text>`);
    y += 7;
    const largest = Math.max(...rows.map(({ median, quartiles }) => (median === undefined ? 0 : Math.max(median, quartiles[1]))), 1e-9);
    const x = (number) => (NAMES + (Math.max(0, number) / largest) * BARS).toFixed(1);
    for (const { name, cannot, median, quartiles, ratio, runs } of rows) {
      const middle = y + LINE / 2;
      parts.push(`<text x="${NAMES - 8}" y="${middle + 4}" class="name">${escaped(name)}</text>`);
      if (cannot) {
        parts.push(`<text x="${NAMES}" y="${middle + 4}" class="quiet">cannot run here</text>`);
      } else {
        parts.push(`<rect x="${NAMES}" y="${y + 3}" width="${(Number(x(median)) - NAMES).toFixed(1)}" height="${LINE - 6}" rx="2" class="${name.startsWith("auth-sessions") ? "ours" : "other"}"/>`);
        if (runs > 1) parts.push(`<path d="M${x(quartiles[0])} ${middle}H${x(quartiles[1])}M${x(quartiles[0])} ${middle - 4}v8M${x(quartiles[1])} ${middle - 4}v8" class="spread"/>`);
        parts.push(`<text x="${NAMES + BARS + 48}" y="${middle + 4}" class="name">${times(ratio)}</text><text x="${NAMES + BARS + 56}" y="${middle + 4}" class="quiet">${figure(median, unit)} ${unit}</text>`);
      }
      y += LINE;
    }
    y += 27;
  }
  const height = y - 12;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Benchmarks of auth-sessions">
<style>
  svg { --page: #ffffff; --text: #1f2328; --quiet: #59636e; --ours: #0b6bcb; --other: #aab4bf; font: 12.5px system-ui, sans-serif; }
  @media (prefers-color-scheme: dark) { svg { --page: #0d1117; --text: #e6edf3; --quiet: #9198a1; --ours: #4c9df3; --other: #57606a; } }
  .page { fill: var(--page); } text { fill: var(--text); } .title { font-weight: 600; } .name { text-anchor: end; } .quiet { fill: var(--quiet); }
  .ours { fill: var(--ours); } .other { fill: var(--other); } .spread { stroke: var(--text); stroke-width: 1.2; fill: none; }
</style>
<rect width="${WIDTH}" height="${height}" class="page"/>
${parts.join("\n")}
</svg>
`;
}
