'use strict';

function parseFeed(body) {
  const data = JSON.parse(body);
  return data.entries;
}

function newest(entries) {
  const sorted = [...entries].sort((a, b) => b.at - a.at);
  return sorted[0].title;
}

function count(entries) {
  return entries.length;
}

module.exports = { parseFeed, newest, count };
