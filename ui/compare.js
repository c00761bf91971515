// Films in step: the longest leads, the others follow its time; only the first is heard. Nothing is rendered for it.
const LATE = 0.1, EXACT = 0.01;  // seconds that a follower may be away
let answer = {}, making = null;
const films = () => [...element.querySelectorAll('video')].filter(video => video.readyState);
const leader = () => films().reduce((one, other) => (other.duration > one.duration ? other : one), films()[0]);
const isOver = (video, time) => time >= video.duration - 0.05;  // to start one that has ended would begin it anew
const start = video => video.play().catch(() => {});  // it is paused again at once

function follow(away = LATE) {
    const first = leader();
    if (!first) return;
    const {currentTime: now, duration} = first;
    for (const video of films()) if (video !== first) {
        const time = Math.min(now, video.duration);
        if (Math.abs(video.currentTime - time) > away && (away === EXACT || !video.seeking)) video.currentTime = time;
        video.playbackRate = 1 + Math.max(-LATE, Math.min(time - video.currentTime, LATE));  // nobody sees it catch up
        if (first.paused || first.readyState < 3 || isOver(video, now)) video.pause();
        else if (video.paused) start(video);
    }
    element.dataset.playing = !first.paused;
    if (!find('[type=range]:active')) find('[type=range]').value = now / duration;
    find('.time').textContent = [now, duration].map(clock).join(' / ');
}

function clock(seconds) {
    return Math.trunc(seconds / 60) + ':' + String(Math.trunc(seconds % 60)).padStart(2, '0');
}

function seek(share) {
    const first = leader();
    if (!first) return;
    first.currentTime = share * first.duration;
    follow(EXACT);
}

function toggle() {
    const first = leader();
    if (!first?.paused) return first?.pause();
    if (first.ended) seek(0);
    for (const video of films()) if (!isOver(video, first.currentTime)) start(video);  // all of them within the press
}

async function render(more = {}) {
    answer = {...answer, ...more};
    props.value = answer;
    await rendered();
    element.querySelectorAll('video').forEach((video, n) => { video.muted = n > 0; });
    follow();  // the template has no time in it
    if (answer.open) openModal(find('.compare'));
}

async function download() {
    const mine = making = new AbortController(), {words} = answer;
    render({making: true, problem: '', remedy: ''});
    const jobs = answer.films.map(film => film.id), headers = {'Content-Type': 'application/json'};
    let status = 0;
    try {
        const reply = await fetch('api/v1/compare', {method: 'POST', headers, body: JSON.stringify({jobs}), signal: mine.signal});
        status = reply.status;
        if (!reply.ok) throw reply;
        const href = URL.createObjectURL(await reply.blob());
        Object.assign(document.createElement('a'), {href, download: 'compare.mp4'}).click();
        setTimeout(() => URL.revokeObjectURL(href), 60000);
        if (mine === making) render({making: false});
    } catch {
        if (mine === making) render({making: false, problem: status === 503 ? words.compare_busy : words.compare_failed});
    }
}

document.addEventListener('click', async event => {
    const jobs = event.target.closest('[data-compare]')?.dataset.compare.split(' ');
    const found = jobs && await server.ask({jobs});
    if (found) render({problem: '', remedy: '', ready: false, making: false, ...found, open: true});
});
element.addEventListener('click', event => {
    if (isShade(event)) return event.target.close();
    const data = event.target.closest('button, video')?.dataset;
    if (!data) return;
    if ('close' in data) find('.compare').close();
    else if ('download' in data) download();
    else toggle();
});
element.addEventListener('input', ({target}) => seek(Number(target.value)));
for (const name of ['timeupdate', 'loadedmetadata', 'play', 'pause', 'waiting', 'playing', 'seeked', 'ended']) {
    element.addEventListener(name, ({target}) => {
        follow(target === leader() && ['pause', 'seeked', 'ended'].includes(name) ? EXACT : LATE);
    }, true);
}
element.addEventListener('close', () => {
    making?.abort();
    making = null;
    for (const video of films()) video.pause();
    find('[type=range]').value = 0;
    find('.time').textContent = '';
    render({open: false, films: []});
}, true);
