package org.tokentune.export;

import static org.tokentune.Arguments.required;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.BadInputException;
import org.tokentune.BadSettingsException;
import org.tokentune.adapters.Adapter;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.adapters.LoraConfig;
import org.tokentune.adapters.LoraModel;
import org.tokentune.formats.GgufWriter;
import org.tokentune.formats.ModelFiles;
import org.tokentune.models.DecoderConfig;
import org.tokentune.models.ParameterLoader;
import org.tokentune.models.TransformerModel;
import org.tokentune.models.WeightStorage;
import org.tokentune.quantization.BlockFormat;

/**
 * Writes adapters as GGUF files that llama.cpp puts on a model. It multiplies the update {@code B
 * A} by alpha over the rank, with one alpha for all layers; where a layer's factor is another, as
 * with rank-stabilised adapters, B is multiplied by the rest.
 */
public final class GgufAdapter {

  private GgufAdapter() {}

  /**
   * Writes adapters.
   *
   * @param base the model that they are on
   * @param folder of the adapters
   * @param type f32, f16 or bf16
   * @param file is replaced if it exists; if anything fails it stays as it is
   * @return lines that say what is in the file
   * @throws BadInputException if they train more than low-rank updates, or the file cannot be
   *     written
   */
  public static List<String> write(ModelFiles base, Path folder, GgufType type, Path file) {
    required(base, "base");
    required(folder, "folder");
    required(type, "type");
    required(file, "file");

    BlockFormat format = format(type);
    TransformerModel model = GgufExport.decoder(base);
    GgufSettings settings = GgufSettings.of(base, (DecoderConfig) model.config());
    try (AdapterFolder adapters = AdapterFolder.open(folder)) {
      Adapter adapter =
          adapters.read(
              model, ParameterLoader.shapeOnly(model, name -> false, WeightStorage.FLOAT32));
      check(adapter.model(), model, folder);
      LoraConfig lora = adapter.model().lora();
      double alpha = lora.alpha() * (lora.rankStabilised() ? Math.sqrt(lora.rank()) : 1);
      GgufWriter out = new GgufWriter();
      out.put("general.architecture", settings.layout().architecture());
      out.put("general.type", "adapter");
      out.put("general.name", GgufContent.name(base) + " adapter");
      out.put("adapter.type", "lora");
      out.put("adapter.lora.alpha", alpha);
      for (String layer : adapter.model().layers()) {
        String stored = settings.layout().stored(layer + ".weight").orElseThrow();
        INDArray a = adapter.parameters().get(layer + ".lora_A.weight");
        INDArray b = adapter.parameters().get(layer + ".lora_B.weight");
        double factor = lora.scale(layer) * a.size(0) / alpha * settings.factor(layer + ".weight");
        out.tensor(stored + ".lora_a", format, a.shape(), () -> GgufContent.floats(a));
        out.tensor(
            stored + ".lora_b",
            format,
            b.shape(),
            () -> settings.stored(layer + ".weight", GgufContent.floats(b), b.size(0), factor));
      }
      GgufContent.write(out, file, staged -> {});
      return List.of(
          String.format(
              Locale.ROOT,
              "%s: adapters for a %s, %s; updates of %,d matrices, alpha %s, %,.1f MB",
              file,
              settings.layout().architecture(),
              type,
              adapter.model().layers().size(),
              alpha,
              out.tensorBytes() / 1e6));
    }
  }

  private static BlockFormat format(GgufType type) {
    return switch (type) {
      case F32 -> BlockFormat.F32;
      case F16 -> BlockFormat.F16;
      case BF16 -> BlockFormat.BF16;
      case Q8_0, Q4_K ->
          throw new BadSettingsException(
              "Adapters are written as f32, f16 or bf16, not as %s.", type);
    };
  }

  /** Refuses what llama.cpp would leave out or compute otherwise. */
  private static void check(LoraModel adapted, TransformerModel base, Path folder) {
    String remedy =
        "; save the whole model with the adapters merged, and write that (" + "--merge" + ").";
    if (adapted.lora().dora()) {
      throw new BadSettingsException(
          "%s has DoRA's trained lengths, which llama.cpp does not apply%s", folder, remedy);
    }
    List<String> trained =
        adapted.base().parameters().keySet().stream().filter(adapted::trains).toList();
    if (!trained.isEmpty()) {
      throw new BadSettingsException(
          "%s also trained %s, which llama.cpp would leave out%s",
          folder, String.join(", ", trained.subList(0, Math.min(3, trained.size()))), remedy);
    }
    if (adapted.base().config().tied() != base.config().tied()) {
      throw new BadSettingsException(
          "%s has a head or a table of words of its own, which llama.cpp would leave out%s",
          folder, remedy);
    }
    if (adapted.lora().alpha() == 0) {
      throw new BadSettingsException(
          "%s has alpha 0, which llama.cpp takes for a factor of 1; it has no effect, so leave it"
              + " out.",
          folder);
    }
  }
}
