// Which rows are chosen lives here; the server is told when they are to go.
const chosen = new Set();
const ticks = () => [...element.querySelectorAll('[data-id]')];

function sync() {
    const all = element.querySelector('[data-all]'), here = ticks();
    const ids = new Set(here.map(tick => tick.dataset.id));
    for (const id of chosen) if (!ids.has(id)) chosen.delete(id);
    for (const tick of here) tick.checked = chosen.has(tick.dataset.id);
    if (!all) return;
    all.checked = chosen.size > 0 && chosen.size === here.length;
    all.indeterminate = chosen.size > 0 && !all.checked;
    element.querySelector('[data-remove]').disabled = !chosen.size;
    const count = element.querySelector('.picked');
    count.hidden = !chosen.size;
    count.querySelector('b').textContent = chosen.size;
}

element.addEventListener('change', ({target}) => {
    const {checked, dataset} = target;
    for (const tick of 'all' in dataset ? ticks() : [target])
        checked ? chosen.add(tick.dataset.id) : chosen.delete(tick.dataset.id);
    sync();
});
element.addEventListener('click', ({target}) => {
    if ('remove' in target.dataset) trigger('act', {ids: [...chosen]});
    if ('clear' in target.dataset && confirm(target.dataset.sure)) trigger('act', {});
});
watch('value', sync);
