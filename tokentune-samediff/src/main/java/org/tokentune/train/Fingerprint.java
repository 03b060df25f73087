package org.tokentune.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.tokentune.BadInputException;
import org.tokentune.checkpoint.Digest;
import org.tokentune.models.Model;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.QuantizedWeight;
import org.tokentune.ops.Style;

/**
 * All that a training's result depends on, so that it goes on from no checkpoint of another.
 *
 * @param parts by their names
 */
record Fingerprint(Map<String, String> parts) {

  /**
   * @param parameters as they are before the first step
   * @param identity what the caller adds: see {@link TrainingData#identity}
   */
  static Fingerprint of(
      Model model,
      Parameters parameters,
      Hyperparameters settings,
      RunSettings run,
      Map<String, String> identity) {
    Map<String, String> parts = new LinkedHashMap<>();
    parts.put("model", new Digest().add(model.withoutDropout().config().toString()).hex());
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    model.config().write(config);
    parts.put("dropout", config.toString());
    parts.put("head", model.head().toString());
    parts.putAll(identity);
    parts.put("base weights", digest(parameters));
    put("", settings, parts);
    parts.put("steps between evaluations", Integer.toString(run.evaluateEvery()));
    parts.put("patience", Integer.toString(run.patience()));
    parts.put("metrics", run.metrics().toString());
    parts.put("loss of NaN", run.onNan().toString());
    parts.put("kernels", Style.preferred().toString());
    return new Fingerprint(parts);
  }

  private static String digest(Parameters parameters) {
    Digest digest = new Digest();
    for (String name : parameters.names()) {
      digest.add(name);
      QuantizedWeight quantized = parameters.quantized(name);
      if (quantized == null) {
        digest.add(parameters.get(name));
      } else {
        quantized.arrays().forEach(digest::add);
      }
    }
    return digest.hex();
  }

  /** Puts a record's components, and those of records in it. */
  private static void put(String prefix, Record settings, Map<String, String> parts) {
    for (RecordComponent component : settings.getClass().getRecordComponents()) {
      Object value = value(component, settings);
      String name = prefix + words(component.getName());
      if (value instanceof Record inner) {
        put(name + " ", inner, parts);
      } else {
        parts.put(name, value.toString());
      }
    }
  }

  private static Object value(RecordComponent component, Record settings) {
    try {
      return component.getAccessor().invoke(settings);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(component + " has no accessor", e);
    }
  }

  /** "learning rate" of "learningRate". */
  private static String words(String name) {
    return name.replaceAll("([A-Z])", " $1").toLowerCase(Locale.ROOT);
  }

  ObjectNode toJson() {
    return new ObjectMapper().valueToTree(parts);
  }

  /**
   * Sees to it that a checkpoint was made by this very training.
   *
   * @param stored what {@link #toJson} gave then
   * @throws BadInputException that names the first difference
   */
  void check(JsonNode stored, Path checkpoint) {
    parts.forEach(
        (name, value) -> {
          String then = stored.path(name).asText("not noted");
          if (!then.equals(value)) {
            throw new BadInputException(
                "%s is of another training (%s: %s there, %s here); give the same again, or begin anew"
                    + " with --resume none.",
                checkpoint, name, then, value);
          }
        });
  }
}
