"""The category tree: codes in the manner of REES46. Some names appear under several parents."""

CHILDREN = {
    "": "books tickets",
    "accessories": "bag umbrella wallet cosmetic_bag",
    "apparel": "costume dress jeans shirt skirt tshirt trousers jumper underwear scarf sock belt jacket",
    "apparel.shoes": "keds slipons moccasins sandals ballet_shoes step_ins espadrilles",
    "appliances": "iron ironing_board sewing_machine steam_cleaner",
    "appliances.environment": "water_heater air_heater air_conditioner vacuum fan climate light",
    "appliances.kitchen": "refrigerators washer oven hood microwave mixer kettle blender dishwasher hob "
    "coffee_machine coffee_grinder toster grill juicer steam_cooker fryer",
    "appliances.personal": "hair_cutter scales massager",
    "auto.accessories": "alarm player radar compressor videoregister parktronic winch light",
    "computers": "notebook desktop ebooks",
    "computers.components": "cpu memory motherboard videocards hdd power_supply cooler sound_card",
    "computers.peripherals": "monitor printer mouse keyboard camera wifi joystick",
    "construction.components": "faucet",
    "construction.tools": "drill saw light generator welding pump screw painting soldering",
    "country_yard": "cultivator lawn_mower watering",
    "country_yard.furniture": "bench hammok",
    "electronics": "smartphone telephone tablet clocks",
    "electronics.audio": "headphone subwoofer acoustic microphone dictaphone",
    "electronics.audio.music_tools": "piano guitar",
    "electronics.camera": "photo video",
    "electronics.video": "tv projector",
    "furniture.bathroom": "bath toilet",
    "furniture.bedroom": "bed pillow blanket",
    "furniture.kitchen": "table chair",
    "furniture.living_room": "sofa cabinet chair shelving",
    "furniture.universal": "light",
    "kids": "toys carriage swing skates dolls",
    "kids.fmcg": "diapers",
    "medicine.tools": "tonometer thermometer",
    "sport": "bicycle ski snowboard tennis trainer diving",
    "stationery": "cartrige paper stapler battery",
}

CODES = sorted(f"{parent}.{name}".lstrip(".") for parent, names in CHILDREN.items() for name in names.split())
"""All category codes; those of one root are next to each other."""
