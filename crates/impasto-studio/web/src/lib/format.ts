/** Numbers and times in words. */

import { text } from "../text";

/** `55 s`, `4 min`, `1 h 20 min`. */
export function duration(seconds: number): string {
  if (seconds < 1) return text.units.underSecond;
  if (seconds < 99.5) return text.units.seconds(Math.round(seconds));
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return text.units.minutes(minutes);
  return text.units.hours(Math.floor(minutes / 60), minutes % 60);
}

/** `0.7 GB`, `640 MB`. */
export function bytes(count: number): string {
  if (count >= 5e8) return text.units.gigabytes((count / 1e9).toFixed(1));
  if (count >= 1e6) return text.units.megabytes(Math.round(count / 1e6));
  return text.units.kilobytes(Math.max(1, Math.round(count / 1e3)));
}

/** `512×384`. */
export function size([width, height]: readonly [number, number]): string {
  return `${width}×${height}`;
}

/** A loss with three digits that mean something. */
export function loss(value: number): string {
  return value.toPrecision(3);
}

const TIME = new Intl.DateTimeFormat(text.locale, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(text.locale, {
  day: "numeric",
  month: "short",
  year: "numeric",
});

/** The time of today, or the date before. */
export function moment(ms: number): string {
  const date = new Date(ms);
  const isToday = date.toDateString() === new Date().toDateString();
  return (isToday ? TIME : DAY).format(date);
}

/** The device without its reason: `on the CPU (avx512)` becomes `on the CPU`. */
export function shortDevice(summary: string): string {
  return summary.replace(/\s*\(.*\)$/, "");
}
