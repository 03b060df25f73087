package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.tokentune.BadSettingsException;
import org.tokentune.Printable;
import org.tokentune.adapters.AdapterFolder;
import org.tokentune.bench.Parity;
import org.tokentune.formats.ModelFiles;
import org.tokentune.zoo.Zoo;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Compares models with the numbers of another implementation. */
@Command(
    name = "parity",
    description = {
      "Compares models with another implementation's numbers: hidden states, logits, loss and every gradient.",
      "Exits with 1 if an error exceeds the tolerance or a tensor was not compared, with 2 if a folder has no case."
    },
    mixinStandardHelpOptions = true)
final class ParityCommand implements Callable<Integer> {

  /** Owner and name, or a name alone. */
  private static final String HUB_NAME = "[\\w-][\\w.-]*(/[\\w-][\\w.-]*)?";

  @Parameters(
      arity = "1..*",
      paramLabel = "DIR",
      description = {
        "Folders with config.json, model.safetensors and case files, or with adapters (PEFT's",
        "adapter_config.json and adapter_model.safetensors) and case files; or with recorded metrics,",
        "retrieval.json and squad2.json."
      })
  private List<Path> folders;

  @Option(
      names = "--tolerance",
      defaultValue = "1e-5",
      description = "Largest relative error allowed; default ${DEFAULT-VALUE}.")
  private double tolerance;

  @Option(
      names = "--base",
      paramLabel = "MODEL",
      description = {
        "The model that adapters were trained on, a path or a name; default: the one in their config,",
        "a path from their folder or the current one, or a name on the hub."
      })
  private String base;

  @Mixin private JsonOption json;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    json.check();
    var out = spec.commandLine().getOut();
    ObjectNode result = JsonOption.object();
    result.put("tolerance", tolerance);
    ObjectNode errors = result.putObject("cases");
    boolean equal = true;
    for (Path folder : folders) {
      List<Path> metrics = MetricsParity.files(folder);
      Parity parity = metrics.isEmpty() ? parity(folder) : null;
      List<Path> cases = metrics.isEmpty() ? parity.cases() : metrics;
      if (cases.isEmpty()) {
        spec.commandLine()
            .getErr()
            .printf(Locale.ROOT, "%s holds no case; add a .safetensors file.%n", folder);
        return 2;
      }
      for (Path file : cases) {
        out.println(file);
        ObjectNode ofCase = errors.putObject(file.toString());
        List<Parity.Row> rows = parity == null ? MetricsParity.compare(file) : parity.compare(file);
        for (Parity.Row row : rows) {
          boolean within = row.within(tolerance);
          equal &= within;
          String error =
              Double.isNaN(row.error())
                  ? "not compared"
                  : String.format(Locale.ROOT, "%.1e", row.error());
          ofCase.put(row.tensor(), Double.isNaN(row.error()) ? null : row.error());
          out.printf(
              Locale.ROOT,
              "  %-70s %12s %s%n",
              Printable.line(row.tensor()),
              error,
              within ? "" : "FAILED");
        }
      }
    }
    out.println(
        equal
            ? "Every tensor is within " + tolerance + "."
            : "Some tensors are not within " + tolerance + ".");
    out.flush();
    json.write(result.put("equal", equal));
    return equal ? 0 : 1;
  }

  private Parity parity(Path folder) {
    if (!AdapterFolder.isOne(folder)) {
      return new Parity(folder);
    }
    if (base != null) {
      Path path = Models.path(base);
      return path == null ? on(folder, base) : new Parity(folder, path);
    }
    try (AdapterFolder adapters = AdapterFolder.open(folder)) {
      if (adapters.basePath().isPresent()) {
        return new Parity(folder, adapters.basePath().get());
      }
      if (!adapters.base().matches(HUB_NAME)) {
        throw new BadSettingsException(
            "%s was trained on '%s', which is not there; give the model with --base.",
            folder, adapters.base());
      }
      return on(folder, Zoo.address(adapters.base(), adapters.revision().orElse(null)));
    }
  }

  private static Parity on(Path folder, String name) {
    try (ModelFiles files = Models.open(name)) {
      return Parity.on(folder, files);
    }
  }
}
