# The module system, as far as the modules of nix/ go: options with types and defaults, `imports`, `mkIf` and
# `mkDefault`; and the few options of NixOS that these modules set. Others are refused, as NixOS does.
lib:
let
  inherit (builtins)
    attrNames
    catAttrs
    concatMap
    filter
    foldl'
    isAttrs
    isFunction
    isList
    listToAttrs
    map
    ;

  tagged = tag: value: isAttrs value && (value._type or null) == tag;
  isOption = tagged "option";

  # A definition's values, each with its priority, once conditions are settled.
  settle =
    value:
    if tagged "if" value then
      if value.condition then settle value.content else [ ]
    else if tagged "override" value then
      map (definition: definition // { inherit (value) priority; }) (settle value.content)
    else
      [
        {
          priority = 100;
          inherit value;
        }
      ];
  strongest =
    definitions:
    let
      top = foldl' (best: d: if d.priority < best then d.priority else best) 10000 definitions;
    in
    map (d: d.value) (filter (d: d.priority == top) definitions);

  # The same, for sets: a condition moves onto the members, so that names are known before any condition is.
  members =
    value:
    if tagged "if" value then
      map (builtins.mapAttrs (
        _: content: {
          _type = "if";
          inherit (value) condition;
          inherit content;
        }
      )) (members value.content)
    else
      [ value ];

  type = name: check: merge: { inherit name check merge; };
  single =
    name: check:
    type name check (
      place: values:
      if builtins.length (lib.unique values) == 1 then
        builtins.head values
      else
        throw "The option `${show place}' has conflicting definitions."
    );
  named = place: name: place ++ [ name ];
  show = lib.concatStringsSep ".";
  attrsWith =
    name: merge:
    type name isAttrs (
      place: values:
      lib.genAttrs (lib.unique (concatMap attrNames (concatMap members values))) (
        name: merge (named place name) (strongest (concatMap settle (catAttrs name (concatMap members values))))
      )
    );

  types = rec {
    bool = single "boolean" lib.isBool;
    str = single "string" lib.isString;
    path = single "path" (value: lib.hasPrefix "/" "${value}");
    package = single "package" lib.isDerivation;
    raw = single "anything" (_: true);
    nullOr =
      inner:
      type "null or ${inner.name}" (value: value == null || inner.check value) (
        place: values: if lib.last values == null then null else inner.merge place values
      );
    listOf =
      inner:
      type "list of ${inner.name}" isList (
        place: values: map (value: checked place inner [ value ]) (lib.concatLists values)
      );
    attrsOf = inner: attrsWith "attribute set of ${inner.name}" (place: checked place inner);
    submodule =
      module:
      type "submodule" isAttrs (
        place: values: evaluate place { name = lib.last place; } ([ module ] ++ values)
      );
    # TOML: tables are merged, lists joined.
    toml = type "TOML value" (
      value:
      lib.isString value || lib.isBool value || lib.isInt value || lib.isFloat value || isList value || isAttrs value
    ) (
      place: values:
      if builtins.all (value: isAttrs value && !lib.isDerivation value) values then
        (attrsOf toml).merge place values
      else if builtins.all isList values then
        lib.concatLists values
      else
        raw.merge place values
    );
  };
  checked =
    place: ty: values:
    if builtins.all ty.check values then
      ty.merge place values
    else
      throw "A definition for option `${show place}' is not of type `${ty.name}'.";

  # PLACE ARGUMENTS MODULES -> the configuration
  evaluate =
    place: arguments: modules:
    let
      load =
        module:
        let
          f = if builtins.isPath module then import module else module;
          m = if isFunction f then f (arguments // { inherit config lib; }) else f;
        in
        concatMap load (m.imports or [ ])
        ++ [
          {
            options = m.options or { };
            config = if m ? options || m ? config then m.config or { } else removeAttrs m [ "imports" ];
          }
        ];
      loaded = concatMap load modules;

      join =
        a: b:
        a // b // builtins.mapAttrs (n: value: if a ? ${n} && !isOption value then join a.${n} value else value) b;
      options = foldl' join { } (catAttrs "options" loaded);

      resolve =
        place: options: definitions:
        if isOption options then
          let
            given = concatMap settle definitions;
          in
          if given != [ ] then
            checked place options.type (strongest given)
          else
            options.default or (throw "The option `${show place}' has no value.")
        else
          let
            sets = concatMap members definitions;
            unknown = filter (n: !options ? ${n}) (concatMap attrNames sets);
          in
          if unknown != [ ] then
            throw "The option `${show (named place (builtins.head unknown))}' does not exist."
          else
            builtins.mapAttrs (n: inner: resolve (named place n) inner (catAttrs n sets)) options;
      config = resolve place options (catAttrs "config" loaded);
    in
    config;

  option = type: default: {
    _type = "option";
    inherit type default;
  };
  # As much of NixOS as there is here.
  nixos =
    { config, pkgs, ... }:
    {
      options = with types; {
        nixpkgs.hostPlatform = option str null;
        nixpkgs.overlays = option (listOf raw) [ ];
        system.stateVersion = option str null;
        environment.systemPackages = option (listOf package) [ ];
        environment.etc = option (attrsOf (etcFile pkgs)) { };
        virtualisation.podman.enable = option bool false;
        virtualisation.containers.containersConf.settings = option toml { };
        virtualisation.cri-o.enable = option bool false;
        virtualisation.cri-o.settings = option toml { };
      };
    };
  etcFile =
    pkgs:
    types.submodule (
      { name, config, ... }:
      {
        options = with types; {
          text = option (nullOr str) null;
          source = option path (pkgs.writeText (baseNameOf name) config.text);
        };
      }
    );
in
{
  inherit types;
  literalExpression = text: { inherit text; };
  mkOption = option: option // { _type = "option"; };
  mkEnableOption = _: option types.bool false;
  mkPackageOption =
    pkgs: name: _:
    option types.package pkgs.${name};
  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkDefault = content: {
    _type = "override";
    priority = 1000;
    inherit content;
  };
  mkForce = content: {
    _type = "override";
    priority = 50;
    inherit content;
  };

  nixosSystem =
    { modules, pkgsFor }:
    let
      config = evaluate [ ] { inherit pkgs; } ([ nixos ] ++ modules);
      pkgs = pkgsFor config.nixpkgs.hostPlatform config.nixpkgs.overlays;
    in
    {
      inherit config pkgs;
    };
}
