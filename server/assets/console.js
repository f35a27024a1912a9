// Times of the console as "in 4 min" and "12 s ago"; the exact time stays in the tooltip. Nothing depends on it.
"use strict";

const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const words = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "short" });
const times = [...document.querySelectorAll("time[data-relative]")].filter((time) => !Number.isNaN(Date.parse(time.dateTime)));

for (const time of times) {
  time.title = time.textContent;
}

function show() {
  for (const time of times) {
    const seconds = Math.round((Date.parse(time.dateTime) - Date.now()) / 1000);
    const [unit, length] = units.find(([, length]) => Math.abs(seconds) >= length) ?? units[3];
    time.textContent = words.format(Math.trunc(seconds / length), unit);
  }
}

show();
if (times.length > 0) {
  setInterval(show, 1000);
}
