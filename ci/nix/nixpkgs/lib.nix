# The functions of nixpkgs' lib that this repository's flakes call, by their documented behaviour.
let
  inherit (builtins)
    all
    any
    attrNames
    concatMap
    concatStringsSep
    elemAt
    filter
    foldl'
    isAttrs
    isPath
    isString
    length
    listToAttrs
    map
    replaceStrings
    stringLength
    substring
    ;

  lib = rec {
    inherit (builtins)
      concatLists
      concatMap
      concatStringsSep
      elem
      filter
      functionArgs
      head
      isAttrs
      isBool
      isInt
      isFloat
      isList
      isString
      mapAttrs
      removeAttrs
      ;

    # attribute sets
    genAttrs =
      names: f:
      listToAttrs (
        map (name: {
          inherit name;
          value = f name;
        }) names
      );
    filterAttrs = keep: set: removeAttrs set (filter (name: !keep name set.${name}) (attrNames set));
    mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
    optionalAttrs = condition: set: if condition then set else { };
    isDerivation = value: isAttrs value && (value.type or null) == "derivation";

    # lists and strings
    last = list: elemAt list (length list - 1);
    unique = foldl' (found: x: if builtins.elem x found then found else found ++ [ x ]) [ ];
    optional = condition: x: if condition then [ x ] else [ ];
    optionals = condition: list: if condition then list else [ ];
    optionalString = condition: string: if condition then string else "";
    concatMapStringsSep =
      separator: f: list:
      concatStringsSep separator (map f list);
    concatLines = concatMapStringsSep "" (line: line + "\n");
    hasPrefix = prefix: string: substring 0 (stringLength prefix) string == prefix;
    hasSuffix =
      suffix: string:
      let
        from = stringLength string - stringLength suffix;
      in
      from >= 0 && substring from (stringLength suffix) string == suffix;
    escapeShellArg = string: "'${replaceStrings [ "'" ] [ "'\\''" ] (toString string)}'";
    escapeShellArgs = concatMapStringsSep " " escapeShellArg;
    importTOML = path: fromTOML (builtins.readFile path);

    # packages
    getBin = package: package.bin or package.out or package;
    getExe = package: getExe' package package.meta.mainProgram;
    getExe' = package: name: "${getBin package}/bin/${name}";
    makeBinPath = concatMapStringsSep ":" (package: "${getBin package}/bin");
    licenses.asl20.spdxId = "Apache-2.0";
    callPackageWith =
      scope: function: arguments:
      let
        f = if isPath function || isString function then import function else function;
      in
      f (builtins.intersectAttrs (functionArgs f) scope // arguments);

    inherit (import ./modules.nix lib)
      literalExpression
      mkDefault
      mkEnableOption
      mkForce
      mkIf
      mkOption
      mkPackageOption
      nixosSystem
      types
      ;

    # A file set is a predicate on absolute file names, with the paths that it was made from.
    fileset =
      let
        within = folder: name: name == folder || hasPrefix "${folder}/" name;
        coerce =
          set:
          if isAttrs set then
            set
          else if builtins.pathExists set then
            {
              paths = [ (toString set) ];
              has = within (toString set);
            }
          else
            throw "lib.fileset: ${toString set} does not exist";
      in
      rec {
        maybeMissing =
          path:
          if builtins.pathExists path then
            coerce path
          else
            {
              paths = [ ];
              has = _: false;
            };
        unions = sets: {
          paths = concatMap (set: (coerce set).paths) sets;
          has = name: any (set: (coerce set).has name) sets;
        };
        intersection = a: b: {
          inherit (coerce a) paths;
          has = name: (coerce a).has name && (coerce b).has name;
        };
        difference = a: b: {
          inherit (coerce a) paths;
          has = name: (coerce a).has name && !(coerce b).has name;
        };
        fileFilter = keep: path: {
          paths = [ (toString path) ];
          has =
            name:
            within (toString path) name
            && keep {
              name = baseNameOf name;
              hasExt = extension: hasSuffix ".${extension}" name;
            };
        };
        toSource =
          { root, fileset }:
          let
            inherit (coerce fileset) paths has;
            # A folder belongs to the source if a file in it does.
            holds =
              folder:
              let
                entries = builtins.readDir folder;
              in
              any (
                name:
                let
                  path = "${folder}/${name}";
                in
                if entries.${name} == "directory" then holds path else has path
              ) (attrNames entries);
          in
          assert all (within (toString root)) paths;
          {
            outPath = builtins.path {
              name = "source";
              path = root;
              filter = name: type: if type == "directory" then holds name else has name;
            };
          };
      };
  };
in
lib
