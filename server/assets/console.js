// Times of the console as "in 4 min" and "12 s ago", beside the exact time or with it in the tooltip. Nothing depends on it.
"use strict";

const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
const times = [...document.querySelectorAll("time[data-relative], time[data-age]")].filter((time) => !Number.isNaN(Date.parse(time.dateTime)));

for (const time of times) {
  time.title = time.textContent;
}

function show() {
  for (const time of times) {
    const seconds = Math.round((Date.parse(time.dateTime) - Date.now()) / 1000);
    const [unit, length] = units.find(([, length]) => Math.abs(seconds) >= length) ?? units[3];
    const amount = `${Math.trunc(Math.abs(seconds) / length)} ${unit}`;
    const relative = seconds >= 0 ? `in ${amount}` : `${amount} ago`;
    time.textContent = "age" in time.dataset ? `${time.title} · ${relative}` : relative;
  }
}

show();
if (times.length > 0) {
  setInterval(show, 1000);
}
