// A press on anything with data-act comes back as the event "act" with all its data-*.
element.addEventListener('click', event => {
    const pressed = event.target.closest('[data-act]');
    if (pressed && !pressed.disabled) trigger('act', {...pressed.dataset});
});
hear('heygem:delivery', () => trigger('look'));
