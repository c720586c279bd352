// Where people sit: rows of seats in a half circle, as in an assembly. The geometry, and its drawing.

const SVG = 'http://www.w3.org/2000/svg';
/** Seats of the innermost row, and how many more each further row has. */
const FIRST_ROW = 5;
const ROW_STEP = 3;
/** Rows of an empty house. */
const FEWEST_ROWS = 3;
/** Of the innermost row, in units of the distance between rows. */
const FIRST_RADIUS = 1.9;

/** Seats for `people`, the front row first, each row from its middle outwards: { radius, width, height, seats: [{ x, y }] }. */
function hemicycle(people) {
  let rows = FEWEST_ROWS;
  while (seatsIn(rows) < people) rows++;
  const outer = FIRST_RADIUS + rows - 1;
  const margin = 0.5;
  const seats = [];
  for (let row = 0; row < rows; row++) {
    const count = FIRST_ROW + ROW_STEP * row;
    const distance = FIRST_RADIUS + row;
    for (const place of fromTheMiddle(count)) {
      const angle = Math.PI * (place / (count - 1));
      seats.push({ x: outer + margin - distance * Math.cos(angle), y: outer + margin - distance * Math.sin(angle) });
    }
  }
  return { radius: 0.3, width: 2 * (outer + margin), height: outer + 2 * margin, seats };
}

/** Draws seats for `people` into an SVG; `mark(seat, person)` says who sits there, if anybody. */
export function drawHouse(house, people, mark, most = people.length) {
  const { width, height, radius, seats } = hemicycle(Math.min(people.length, most));
  house.setAttribute('viewBox', `0 0 ${width} ${height}`);
  while (house.children.length > seats.length) house.lastChild.remove();
  while (house.children.length < seats.length) house.append(document.createElementNS(SVG, 'circle'));
  seats.forEach(({ x, y }, index) => {
    const seat = house.children[index];
    seat.setAttribute('cx', x.toFixed(3));
    seat.setAttribute('cy', y.toFixed(3));
    seat.setAttribute('r', radius);
    mark(seat, people[index]);
  });
}

function seatsIn(rows) {
  return rows * FIRST_ROW + (ROW_STEP * rows * (rows - 1)) / 2;
}

/** 0 … count-1, ordered by distance from the middle. */
function fromTheMiddle(count) {
  const middle = (count - 1) / 2;
  return [...Array(count).keys()].sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle) || a - b);
}
