package org.tokentune.spark;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** What docs/architecture.md says of this package, which no test of the command line sees. */
@AnalyzeClasses(packages = "org.tokentune", importOptions = ImportOption.DoNotIncludeTests.class)
class ImportsTest {

  private static final String SPARK = "org.tokentune.spark..";

  @ArchTest
  static final ArchRule IMPORTS_NOTHING_INTERNAL =
      noClasses()
          .that()
          .resideInAPackage(SPARK)
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.tokentune..internal..");

  @ArchTest
  static final ArchRule NOTHING_IMPORTS_IT =
      noClasses()
          .that()
          .resideOutsideOfPackage(SPARK)
          .should()
          .dependOnClassesThat()
          .resideInAPackage(SPARK);
}
