package org.tokentune.cli;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.Architectures.LayeredArchitecture;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Which package may import which, enforced by ArchUnit; docs/architecture.md shows the same table.
 */
@AnalyzeClasses(
    packages = ArchitectureTest.BASE,
    importOptions = {
      ImportOption.DoNotIncludeTests.class,
      ArchitectureTest.DoNotIncludeTestHelpers.class
    })
class ArchitectureTest {

  static final String BASE = "org.tokentune";

  /**
   * The packages below {@link #BASE} except {@code cli}, which may import any, and the packages
   * that each may import.
   */
  private static final Map<String, Set<String>> IMPORTS =
      Map.ofEntries(
          entry("chat", Set.of()),
          entry("cpu", Set.of("ops", "quantization")),
          entry("quantization", Set.of()),
          entry("select", Set.of()),
          entry("ops", Set.of("quantization")),
          entry("nn", Set.of("ops")),
          entry("formats", Set.of("ops", "quantization")),
          entry("files", Set.of("formats")),
          entry("onnx", Set.of("formats")),
          entry(
              "bench",
              Set.of(
                  "adapters",
                  "formats",
                  "generate",
                  "models",
                  "nn",
                  "objectives",
                  "ops",
                  "plan",
                  "select",
                  "train")),
          entry("plan", Set.of("ops", "quantization")),
          entry("objectives", Set.of("nn", "ops", "select")),
          entry("models", Set.of("nn", "objectives", "ops", "formats", "quantization")),
          entry("adapters", Set.of("models", "nn", "objectives", "ops", "files", "formats")),
          entry("generate", Set.of("models", "nn", "objectives", "ops", "plan")),
          entry("train", Set.of("files", "models", "nn", "objectives", "ops", "plan", "select")),
          entry("zoo", Set.of("models", "nn", "objectives", "select", "train", "files", "formats")),
          entry("datasets", Set.of("chat", "models", "objectives", "select", "files", "formats")),
          entry(
              "text",
              Set.of(
                  "chat",
                  "datasets",
                  "adapters",
                  "generate",
                  "models",
                  "nn",
                  "objectives",
                  "onnx",
                  "select",
                  "train",
                  "files",
                  "formats")),
          entry(
              "export",
              Set.of(
                  "adapters",
                  "datasets",
                  "files",
                  "formats",
                  "models",
                  "nn",
                  "objectives",
                  "quantization")),
          entry("langchain4j", Set.of("text")),
          entry(
              "server",
              Set.of(
                  "adapters",
                  "datasets",
                  "formats",
                  "generate",
                  "models",
                  "objectives",
                  "ops",
                  "text")),
          entry("datavec", Set.of("datasets")),
          entry("tables", Set.of("datasets", "files")),
          entry(
              "dl4j",
              Set.of(
                  "zoo",
                  "adapters",
                  "models",
                  "nn",
                  "objectives",
                  "ops",
                  "plan",
                  "select",
                  "train",
                  "files",
                  "formats")));

  private static final Pattern CODE = Pattern.compile("`(\\w+)`");

  /** Skips the module tokentune-testing: test helpers, but compiled as main code. */
  static final class DoNotIncludeTestHelpers implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return !location.contains("/org/tokentune/testing/");
    }
  }

  @ArchTest static final ArchRule PACKAGES_IMPORT_ONE_WAY = layers();

  private static LayeredArchitecture layers() {
    LayeredArchitecture layers =
        layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .ensureAllClassesAreContainedInArchitecture()
            .layer("root")
            .definedBy(BASE)
            .whereLayer("root")
            .mayNotAccessAnyLayer()
            .layer("cli")
            .definedBy(BASE + ".cli..");
    for (String name : IMPORTS.keySet()) {
      layers = layers.layer(name).definedBy(below(name));
    }
    for (Map.Entry<String, Set<String>> allowed : IMPORTS.entrySet()) {
      Set<String> all = new TreeSet<>(allowed.getValue());
      all.add("root");
      layers = layers.whereLayer(allowed.getKey()).mayOnlyAccessLayers(all.toArray(String[]::new));
    }
    return layers;
  }

  /** The internal packages of ops: from a user's ops down to the loops, and who else uses them. */
  @ArchTest
  static final ArchRule OPS_IMPORT_ONE_WAY =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("ops")
          .definedBy(BASE + ".ops")
          .layer("optimizers")
          .definedBy(BASE + ".ops.internal.optimizers")
          .layer("internal")
          .definedBy(BASE + ".ops.internal")
          .layer("kernels")
          .definedBy(BASE + ".ops.internal.kernels")
          .whereLayer("kernels")
          .mayNotAccessAnyLayer()
          .whereLayer("internal")
          .mayOnlyAccessLayers("kernels")
          .whereLayer("ops")
          .mayOnlyAccessLayers("internal", "kernels");

  @ArchTest
  static final ArchRule INTERNAL_OPS_ARE_USED_BY_PLAN_TRAIN_AND_CPU_ONLY =
      noClasses()
          .that()
          .resideOutsideOfPackages(below("ops"), below("plan"), below("train"), below("cpu"))
          .should()
          .dependOnClassesThat()
          .resideInAPackage(below("ops.internal"));

  private static String below(String name) {
    return BASE + "." + name + "..";
  }

  @ArchTest
  static void everyPermissionIsNeeded(JavaClasses classes) {
    IMPORTS.forEach(
        (name, allowed) ->
            assertEquals(
                new TreeSet<>(allowed),
                allowed.stream()
                    .filter(other -> imports(classes, name, resideInAPackage(below(other))))
                    .collect(Collectors.toCollection(TreeSet::new)),
                name));
  }

  private static boolean imports(
      JavaClasses classes, String name, DescribedPredicate<JavaClass> others) {
    return classes.that(resideInAPackage(below(name))).stream()
        .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
        .anyMatch(dependency -> others.test(dependency.getTargetClass()));
  }

  @Test
  void documentationShowsTheSameTable() {
    Map<String, Set<String>> table = new TreeMap<>();
    Document.read(Document.HOME.resolve("docs/architecture.md")).lines().stream()
        .dropWhile(line -> !line.equals("| package | imports |"))
        .takeWhile(line -> line.startsWith("|"))
        .filter(line -> line.startsWith("| `") && !line.startsWith("| `cli`"))
        .forEach(
            line -> {
              String[] cells = line.split("\\|", -1);
              table.put(names(cells[1]).iterator().next(), names(cells[2]));
            });
    assertEquals(new TreeMap<>(IMPORTS), table, "docs/architecture.md");
  }

  private static Set<String> names(String cell) {
    return CODE.matcher(cell)
        .results()
        .map((MatchResult result) -> result.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
