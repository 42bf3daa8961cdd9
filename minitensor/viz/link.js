// The kernel's end of a page: it hears what the page saved, and tells it what the kernel wants.
export default {
  initialize({ model }) {
    const key = model.get("key");
    const hear = ({ data }) => {
      if (!data || data.key !== key || !data.changed) return;
      model.set("values", { ...model.get("values"), ...data.changed });
      model.save_changes();
    };
    const tell = () => document.querySelectorAll("iframe").forEach((frame) =>
      frame.contentWindow.postMessage({ key, wanted: model.get("values") }, "*"));
    window.addEventListener("message", hear);
    model.on("change:values", tell);
    return () => window.removeEventListener("message", hear);
  },
};
